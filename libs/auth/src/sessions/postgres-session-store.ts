import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { AppConfig } from '#config';
import { Session } from '#database';
import { publicUser } from '../accounts/users.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { encodeRevocation, SESSION_REVOKED, SessionRevocations } from './session-revocations.js';
import { type NewSession, SessionStore, TOUCH_INTERVAL_MS } from './session-store.js';

/** Rows deleted by one statement of a sweep: long transactions hold up vacuum. */
const SWEEP_BATCH = 1000;

/** The column is `text` without a bound; a header may be 16 KB. */
const MAX_USER_AGENT = 512;

/** Sessions in the gateway's own PostgreSQL: the default. */
@Injectable()
export class PostgresSessionStore extends SessionStore {
  private readonly ttlMs: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly revocations: SessionRevocations,
    config: AppConfig,
  ) {
    super();
    this.ttlMs = config.session.ttlMs;
  }

  override async create({ hash, userId, ip, userAgent }: NewSession): Promise<void> {
    const now = this.clock.nowMs();
    await this.dataSource.getRepository(Session).insert({
      idHash: bytesOf(hash),
      userId,
      createdAt: new Date(now),
      lastSeenAt: new Date(now),
      expiresAt: new Date(now + this.ttlMs),
      ip: withoutZone(ip),
      userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
    });
  }

  override async find(hash: string): Promise<SessionPrincipal | null> {
    const session = await this.dataSource
      .getRepository(Session)
      .createQueryBuilder('session')
      .innerJoinAndSelect('session.user', 'user', 'user.disabledAt IS NULL')
      .where('session.idHash = :hash', { hash: bytesOf(hash) })
      .andWhere('session.expiresAt > :now', { now: this.clock.now() })
      .getOne();
    const user = session?.user;
    if (session === null || user === undefined) return null;
    return {
      kind: 'session',
      sessionHash: hash,
      expiresAt: session.expiresAt,
      lastSeenAt: session.lastSeenAt,
      subject: session.subject ?? user.id,
      sessionKind: session.kind,
      user: publicUser(user),
    };
  }

  override async touch(hash: string, atMostEveryMs = TOUCH_INTERVAL_MS): Promise<boolean> {
    const now = this.clock.nowMs();
    const found = await this.dataSource.query<unknown[]>(
      `WITH live AS (
         SELECT id_hash, last_seen_at FROM session WHERE id_hash = $1 AND expires_at > $2
       ), extended AS (
         UPDATE session SET last_seen_at = $2, expires_at = $3
         FROM live WHERE session.id_hash = live.id_hash AND live.last_seen_at <= $4
       )
       SELECT 1 FROM live`,
      [bytesOf(hash), new Date(now), new Date(now + this.ttlMs), new Date(now - atMostEveryMs)],
    );
    return found.length > 0;
  }

  /** Delete and NOTIFY are one statement, hence one transaction: neither can happen without the other. */
  override async revoke(hash: string): Promise<void> {
    const gone = await this.dataSource.query<Array<{ user_id: string }>>(
      `WITH gone AS (DELETE FROM session WHERE id_hash = $1 RETURNING user_id)
       SELECT user_id, pg_notify($2, user_id || ':' || $3) FROM gone`,
      [bytesOf(hash), SESSION_REVOKED, hash],
    );
    for (const { user_id: userId } of gone) this.revocations.deliver({ userId, sessionHash: hash });
  }

  override async revokeAll(userId: string): Promise<void> {
    const revocation = { userId, sessionHash: null };
    await this.dataSource.query(
      `WITH gone AS (DELETE FROM session WHERE user_id = $1)
       SELECT pg_notify($2, $3)`,
      [userId, SESSION_REVOKED, encodeRevocation(revocation)],
    );
    this.revocations.deliver(revocation);
  }

  override async sweep(): Promise<number> {
    let swept = 0;
    for (let batch = SWEEP_BATCH; batch === SWEEP_BATCH; swept += batch) {
      const gone = await this.dataSource.query<unknown[]>(
        `WITH gone AS (
           DELETE FROM session WHERE id_hash IN (
             SELECT id_hash FROM session WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING 1
         )
         SELECT 1 FROM gone`,
        [this.clock.now(), SWEEP_BATCH],
      );
      batch = gone.length;
    }
    return swept;
  }
}

function bytesOf(hash: string): Buffer {
  return Buffer.from(hash, 'base64url');
}

/** `fe80::1%eth0`: the zone means something on this machine only (RFC 4007 §6), and inet refuses it. */
function withoutZone(ip: string): string {
  return ip.split('%', 1)[0] ?? ip;
}
