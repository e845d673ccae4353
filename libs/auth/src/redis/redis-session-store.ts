import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { z } from 'zod';
import { Clock, SecretBox } from '#common';
import { AppConfig, type SessionConfig } from '#config';
import { User } from '#database';
import { publicUser } from '../accounts/users.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { openTokens, type ProviderTokens, sealTokens } from '../sessions/provider-tokens.js';
import {
  encodeRevocation,
  SESSION_REVOKED,
  type SessionRevocation,
  SessionRevocations,
} from '../sessions/session-revocations.js';
import {
  MAX_USER_AGENT,
  type NewSession,
  SessionStore,
  type SessionSummary,
  TOUCH_INTERVAL_MS,
} from '../sessions/session-store.js';
import { sessionTermMs } from '../sessions/session-term.js';
import type { RedisConnection } from './redis-connection.js';
import { CREATE, END, END_ALL, FIND, LIST, REPLACE_TOKENS, TOKENS_OF, TOUCH } from './session-scripts.js';

const time = z.coerce.number().transform((ms) => new Date(ms));

/** In the order of SESSION_FIELDS. */
const fieldsSchema = z
  .tuple([
    z.string(),
    z.enum(['password', 'oidc']),
    z.string().nullable(),
    time,
    time,
    z.string(),
    z.string().nullable(),
  ])
  .transform(([userId, kind, subject, createdAt, lastSeenAt, ip, userAgent]) => ({
    userId,
    kind,
    subject,
    createdAt,
    lastSeenAt,
    ip,
    userAgent,
  }));
const foundSchema = z.tuple([time, fieldsSchema]).nullable();
const listSchema = z.array(z.tuple([z.string(), time, fieldsSchema]));
const yesNoSchema = z.literal([0, 1]).transform((answer) => answer === 1);
const textSchema = z.string().nullable();

/**
 * Sessions in Redis. Their users are read from PostgreSQL, which also tells the replicas of revocations, so that
 * whatever Redis loses can only ever sign people out.
 */
export class RedisSessionStore extends SessionStore {
  private readonly terms: SessionConfig;

  constructor(
    private readonly redis: RedisConnection,
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
    const fields = {
      kind,
      subject,
      createdAt: now,
      lastSeenAt: now,
      ip,
      userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
      tokens: tokens && this.seal(hash, tokens),
    };
    const set = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [name, value]));
    await this.eval(CREATE, now, now + sessionTermMs(this.terms, kind), hash, userId, ...set);
  }

  override async find(hash: string): Promise<SessionPrincipal | null> {
    const found = foundSchema.parse(await this.eval(FIND, this.clock.nowMs(), hash));
    if (found === null) return null;
    const [expiresAt, { userId, kind, subject, lastSeenAt }] = found;
    const user = await this.dataSource.getRepository(User).findOneBy({ id: userId, disabledAt: IsNull() });
    if (user === null) return null;
    return {
      kind: 'session',
      sessionHash: hash,
      expiresAt,
      lastSeenAt,
      subject: subject ?? userId,
      sessionKind: kind,
      user: publicUser(user),
    };
  }

  override async touch(hash: string, atMostEveryMs = TOUCH_INTERVAL_MS): Promise<boolean> {
    const now = this.clock.nowMs();
    const terms = [sessionTermMs(this.terms, 'password'), sessionTermMs(this.terms, 'oidc')];
    return yesNoSchema.parse(await this.eval(TOUCH, now, hash, now - atMostEveryMs, ...terms));
  }

  override async list(userId: string): Promise<SessionSummary[]> {
    const found = listSchema.parse(await this.eval(LIST, this.clock.nowMs(), userId));
    return found
      .map(([id, expiresAt, { kind, createdAt, lastSeenAt, ip, userAgent }]) => ({
        id,
        kind,
        createdAt,
        lastSeenAt,
        expiresAt,
        ip,
        userAgent,
      }))
      .toSorted(byLastUse);
  }

  override async tokensOf(hash: string): Promise<ProviderTokens | null> {
    const sealed = textSchema.parse(await this.eval(TOKENS_OF, this.clock.nowMs(), hash));
    return sealed === null ? null : openTokens(this.box, hash, Buffer.from(sealed, 'base64'));
  }

  override async replaceTokens(hash: string, tokens: ProviderTokens): Promise<boolean> {
    const now = this.clock.nowMs();
    return yesNoSchema.parse(await this.eval(REPLACE_TOKENS, now, hash, this.seal(hash, tokens)));
  }

  /** Whose it was is forgotten last: a revocation that could not be told must find it again when it is repeated. */
  override async revoke(hash: string): Promise<void> {
    const userId = textSchema.parse(await this.eval(END, hash));
    if (userId === null) return;
    await this.revocations.announce({ userId, sessionHash: hash });
    await this.redis.run((client) => client.unlink(`session:${hash}`));
  }

  override async revokeAll(userId: string, within?: EntityManager): Promise<void> {
    await this.eval(END_ALL, userId, '');
    await this.tell({ userId, sessionHash: null }, within);
  }

  override async revokeOthers(userId: string, exceptHash: string, within?: EntityManager): Promise<void> {
    await this.eval(END_ALL, userId, exceptHash);
    await this.tell({ userId, sessionHash: null, exceptHash }, within);
  }

  /** Redis deletes what has expired by itself. */
  override async sweep(): Promise<number> {
    return 0;
  }

  private async tell(revocation: SessionRevocation, within?: EntityManager): Promise<void> {
    if (within === undefined) return this.revocations.announce(revocation);
    await within.query('SELECT pg_notify($1, $2)', [SESSION_REVOKED, encodeRevocation(revocation)]);
  }

  private seal(hash: string, tokens: ProviderTokens): string {
    return sealTokens(this.box, hash, tokens).toString('base64');
  }

  private eval(script: string, ...values: (string | number)[]): Promise<unknown> {
    return this.redis.run((client) => client.eval(script, { arguments: values.map(String) }));
  }
}

function byLastUse(a: SessionSummary, b: SessionSummary): number {
  return b.lastSeenAt.getTime() - a.lastSeenAt.getTime() || b.createdAt.getTime() - a.createdAt.getTime();
}
