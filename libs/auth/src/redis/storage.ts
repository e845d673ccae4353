import type { Provider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock, SecretBox } from '#common';
import { AppConfig } from '#config';
import { HitCounter } from '../limits/hit-counter.js';
import { LoginStates } from '../sessions/login-states.js';
import { PostgresLoginStates } from '../sessions/postgres-login-states.js';
import { PostgresSessionStore } from '../sessions/postgres-session-store.js';
import { SessionRevocations } from '../sessions/session-revocations.js';
import { SessionStore } from '../sessions/session-store.js';
import { RedisConnection } from './redis-connection.js';
import { redisHitCounter } from './redis-hit-counter.js';
import { RedisLoginStates } from './redis-login-states.js';
import { RedisSessionStore } from './redis-session-store.js';

/** Null without `REDIS_URL`. */
type MaybeRedis = RedisConnection | null;

/** Where sessions, sign-ins under way and counts are kept: in Redis with `REDIS_URL`, else in PostgreSQL and memory. */
export const storage: Provider[] = [
  {
    provide: RedisConnection,
    inject: [AppConfig],
    useFactory: ({ redisUrl }: AppConfig): MaybeRedis =>
      redisUrl === null ? null : new RedisConnection(redisUrl),
  },
  {
    provide: SessionStore,
    inject: [RedisConnection, DataSource, Clock, SessionRevocations, AppConfig, SecretBox],
    useFactory: (
      redis: MaybeRedis,
      ...parts: ConstructorParameters<typeof PostgresSessionStore>
    ): SessionStore =>
      redis === null ? new PostgresSessionStore(...parts) : new RedisSessionStore(redis, ...parts),
  },
  {
    provide: LoginStates,
    inject: [RedisConnection, DataSource, Clock, SecretBox],
    useFactory: (redis: MaybeRedis, dataSource: DataSource, clock: Clock, box: SecretBox): LoginStates =>
      redis === null
        ? new PostgresLoginStates(dataSource, clock, box)
        : new RedisLoginStates(redis, clock, box),
  },
  {
    provide: HitCounter,
    inject: [RedisConnection],
    useFactory: (redis: MaybeRedis): HitCounter =>
      redis === null ? new HitCounter() : redisHitCounter(redis),
  },
];
