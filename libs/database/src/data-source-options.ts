import type { DataSourceOptions } from 'typeorm';
import { ApiKey } from './entities/api-key.entity.js';
import { AuditEntry } from './entities/audit-entry.entity.js';
import { BillingAccount } from './entities/billing-account.entity.js';
import { BillingEvent } from './entities/billing-event.entity.js';
import { BillingStep } from './entities/billing-step.entity.js';
import { BillingSyncState } from './entities/billing-sync.entity.js';
import { IdempotencyKey } from './entities/idempotency-key.entity.js';
import { Installation } from './entities/installation.entity.js';
import { LoginState } from './entities/login-state.entity.js';
import { MonitorState } from './entities/monitor-state.entity.js';
import { OneTimeToken } from './entities/one-time-token.entity.js';
import { Outage } from './entities/outage.entity.js';
import { OutgoingMail } from './entities/outgoing-mail.entity.js';
import { OutgoingNotice } from './entities/outgoing-notice.entity.js';
import { PoolBackend } from './entities/pool-backend.entity.js';
import { Pool } from './entities/pool.entity.js';
import { RecoveryCode } from './entities/recovery-code.entity.js';
import { ServerSample } from './entities/server-sample.entity.js';
import { Session } from './entities/session.entity.js';
import { SliceEvent } from './entities/slice-event.entity.js';
import { SlicePort } from './entities/slice-port.entity.js';
import { SliceRollup } from './entities/slice-rollup.entity.js';
import { SliceSample } from './entities/slice-sample.entity.js';
import { SliceWatch } from './entities/slice-watch.entity.js';
import { Slice } from './entities/slice.entity.js';
import { StoredSettings } from './entities/stored-settings.entity.js';
import { UserIdentity } from './entities/user-identity.entity.js';
import { User } from './entities/user.entity.js';
import { migrations } from './migrations/index.js';
import { SnakeNamingStrategy } from './naming-strategy.js';
import { PooledClient } from './pooled-client.js';

/** How to reach a PostgreSQL database, in pg's words. */
export interface Connection {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  ssl: false | { rejectUnauthorized: boolean };
}

const ENTITIES = [
  User,
  UserIdentity,
  OneTimeToken,
  RecoveryCode,
  Session,
  LoginState,
  ApiKey,
  OutgoingMail,
  Slice,
  SlicePort,
  IdempotencyKey,
  Installation,
  Pool,
  PoolBackend,
  StoredSettings,
  AuditEntry,
  SliceEvent,
  SliceSample,
  SliceRollup,
  ServerSample,
  MonitorState,
  SliceWatch,
  Outage,
  OutgoingNotice,
  BillingAccount,
  BillingEvent,
  BillingStep,
  BillingSyncState,
];

/**
 * TypeORM's options, for the server and for its command line alike. The schema changes by migrations only.
 * @param poolMax connections at the most
 */
export function dataSourceOptions(connection: Connection, poolMax: number): DataSourceOptions {
  return {
    type: 'postgres',
    host: connection.host,
    port: connection.port,
    username: connection.user,
    ...(connection.password === undefined ? {} : { password: connection.password }),
    database: connection.database,
    ssl: connection.ssl,
    entities: ENTITIES,
    migrations,
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    logging: false,
    poolSize: poolMax,
    // A dead server is noticed by the request that waits, not by the kernel's two minutes.
    connectTimeoutMS: 3000,
    applicationName: 'sluice',
    extra: { Client: PooledClient, keepAlive: true, query_timeout: 15_000, idleTimeoutMillis: 30_000 },
  };
}
