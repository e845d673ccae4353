import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, MoreThan } from 'typeorm';
import { Clock, SecretBox } from '#common';
import { AppConfig, type SessionConfig } from '#config';
import { Session } from '#database';
import { publicUser } from '../accounts/users.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { openTokens, type ProviderTokens, sealTokens } from './provider-tokens.js';
import {
  encodeRevocation,
  SESSION_REVOKED,
  type SessionRevocation,
  SessionRevocations,
} from './session-revocations.js';
import {
  MAX_USER_AGENT,
  type NewSession,
  SessionStore,
  type SessionSummary,
  TOUCH_INTERVAL_MS,
} from './session-store.js';
import { sessionTermMs } from './session-term.js';

/** Rows deleted by one statement of a sweep: long transactions hold up vacuum. */
const SWEEP_BATCH = 1000;

/** Sessions in the gateway's own PostgreSQL: the default. */
@Injectable()
export class PostgresSessionStore extends SessionStore {
  private readonly terms: SessionConfig;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly revocations: SessionRevocations,
    config: AppConfig,
    private readonly box: SecretBox,
  ) {
    super();
    this.terms = config.session;
  }

  override async create({ hash, userId, kind, subject, tokens, ip, userAgent }: NewSession): Promise<void> {
    const now = this.clock.nowMs();
    await this.dataSource.getRepository(Session).insert({
      idHash: bytesOf(hash),
      userId,
      createdAt: new Date(now),
      lastSeenAt: new Date(now),
      expiresAt: new Date(now + sessionTermMs(this.terms, kind)),
      ip: withoutZone(ip),
      userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
      kind,
      subject,
      tokensSealed: tokens && sealTokens(this.box, hash, tokens),
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
    const until = (term: number): Date => new Date(now + term);
    const found = await this.dataSource.query<unknown[]>(
      `WITH live AS (
         SELECT id_hash, last_seen_at FROM session WHERE id_hash = $1 AND expires_at > $2
       ), extended AS (
         UPDATE session SET last_seen_at = $2,
                            expires_at = CASE kind WHEN 'oidc' THEN $5::timestamptz ELSE $4::timestamptz END
         FROM live WHERE session.id_hash = live.id_hash AND live.last_seen_at <= $3
       )
       SELECT 1 FROM live`,
      [
        bytesOf(hash),
        new Date(now),
        new Date(now - atMostEveryMs),
        until(sessionTermMs(this.terms, 'password')),
        until(sessionTermMs(this.terms, 'oidc')),
      ],
    );
    return found.length > 0;
  }

  override async list(userId: string): Promise<SessionSummary[]> {
    const sessions = await this.dataSource.getRepository(Session).find({
      select: {
        idHash: true,
        kind: true,
        createdAt: true,
        lastSeenAt: true,
        expiresAt: true,
        ip: true,
        userAgent: true,
      },
      where: { userId, expiresAt: MoreThan(this.clock.now()) },
      order: { lastSeenAt: 'DESC', createdAt: 'DESC' },
    });
    return sessions.map(({ idHash, kind, createdAt, lastSeenAt, expiresAt, ip, userAgent }) => ({
      id: idHash.toString('base64url'),
      kind,
      createdAt,
      lastSeenAt,
      expiresAt,
      ip,
      userAgent,
    }));
  }

  override async tokensOf(hash: string): Promise<ProviderTokens | null> {
    const session = await this.dataSource.getRepository(Session).findOne({
      select: { idHash: true, tokensSealed: true },
      where: { idHash: bytesOf(hash), expiresAt: MoreThan(this.clock.now()) },
    });
    const sealed = session?.tokensSealed ?? null;
    return sealed && openTokens(this.box, hash, sealed);
  }

  override async replaceTokens(hash: string, tokens: ProviderTokens): Promise<boolean> {
    const { affected } = await this.dataSource
      .getRepository(Session)
      .update(
        { idHash: bytesOf(hash), expiresAt: MoreThan(this.clock.now()) },
        { tokensSealed: sealTokens(this.box, hash, tokens) },
      );
    return affected === 1;
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

  override async revokeAll(userId: string, within?: EntityManager): Promise<void> {
    await this.end({ userId, sessionHash: null }, within);
  }

  override async revokeOthers(userId: string, exceptHash: string, within?: EntityManager): Promise<void> {
    await this.end({ userId, sessionHash: null, exceptHash }, within);
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

  /** Whether or not there is a session left: a repeated request must reach whoever missed the first. */
  private async end(revocation: SessionRevocation, within?: EntityManager): Promise<void> {
    const { userId, exceptHash } = revocation;
    await (within ?? this.dataSource).query(
      `WITH gone AS (DELETE FROM session WHERE user_id = $1 AND id_hash IS DISTINCT FROM $2::bytea)
       SELECT pg_notify($3, $4)`,
      [
        userId,
        exceptHash === undefined ? null : bytesOf(exceptHash),
        SESSION_REVOKED,
        encodeRevocation(revocation),
      ],
    );
    if (within === undefined) this.revocations.deliver(revocation);
  }
}

function bytesOf(hash: string): Buffer {
  return Buffer.from(hash, 'base64url');
}

/** `fe80::1%eth0`: the zone means something on this machine only (RFC 4007 §6), and inet refuses it. */
function withoutZone(ip: string): string {
  return ip.split('%', 1)[0] ?? ip;
}
