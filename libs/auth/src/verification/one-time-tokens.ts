import { hash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { type OneTimeTokenPurpose, Transactions } from '#database';
import type { AccountAddress } from '../accounts/users.js';

const TOKEN_BYTES = 32;

const HOUR_MS = 3_600_000;
const LIFETIME_MS: Readonly<Record<OneTimeTokenPurpose, number>> = {
  'verify-email': 24 * HOUR_MS,
  'reset-password': HOUR_MS / 2,
};

/**
 * The tokens of mailed links: 256 random bits, stored as their SHA-256, good for one use. Each method is part of the
 * transaction under way.
 */
@Injectable()
export class OneTimeTokens {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Makes a token, base64url; the one of the same purpose from before is worth nothing from now on. */
  async issue({ userId, email }: AccountAddress, purpose: OneTimeTokenPurpose): Promise<string> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const now = this.clock.nowMs();
    await this.query('DELETE FROM one_time_token WHERE expires_at <= $1', [new Date(now)]);
    await this.query(
      `INSERT INTO one_time_token (token_hash, user_id, purpose, email, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (user_id, purpose) DO UPDATE SET token_hash = excluded.token_hash, email = excluded.email,
         created_at = excluded.created_at, expires_at = excluded.expires_at`,
      [hashOf(token), userId, purpose, email, new Date(now), new Date(now + LIFETIME_MS[purpose])],
    );
    return token;
  }

  /** Whose a token is, without using it; null when it is worth nothing. */
  async ownerOf(token: string, purpose: OneTimeTokenPurpose): Promise<AccountAddress | null> {
    const [owner] = await this.query<AccountAddress>(
      `SELECT user_id AS "userId", email FROM one_time_token
       WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3`,
      [hashOf(token), purpose, this.clock.now()],
    );
    return owner ?? null;
  }

  /** Uses a token: of many requests at once, one is given its owner, and the others null. */
  async take(token: string, purpose: OneTimeTokenPurpose): Promise<AccountAddress | null> {
    const [owner] = await this.query<AccountAddress>(
      `WITH taken AS (
         DELETE FROM one_time_token WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3
         RETURNING user_id, email
       )
       SELECT user_id AS "userId", email FROM taken`,
      [hashOf(token), purpose, this.clock.now()],
    );
    return owner ?? null;
  }

  /** Makes the links of a user worth nothing: those of one purpose, or all. */
  async revoke(userId: string, purpose: OneTimeTokenPurpose | null = null): Promise<void> {
    await this.query('DELETE FROM one_time_token WHERE user_id = $1 AND purpose = coalesce($2, purpose)', [
      userId,
      purpose,
    ]);
  }

  private query<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    return this.transactions.manager.query<Row[]>(sql, values);
  }
}

/** No salt and no stretching: a token is random already. */
function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
