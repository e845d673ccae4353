export { DatabaseModule } from './database.module.js';
export { DatabaseClients } from './database-clients.js';
export { DatabaseResources } from './database-resources.js';
export { DatabaseServer } from './database-server.js';
export { connectionOf } from './connection.js';
export { dataSourceOptions, type Connection } from './data-source-options.js';
export { ApiKey } from './entities/api-key.entity.js';
export { AuditEntry } from './entities/audit-entry.entity.js';
export {
  BillingAccount,
  SUBSCRIPTION_STATUSES,
  type SubscriptionStatus,
} from './entities/billing-account.entity.js';
export { BillingEvent } from './entities/billing-event.entity.js';
export { BillingStep } from './entities/billing-step.entity.js';
export { BillingSyncState } from './entities/billing-sync.entity.js';
export { IdempotencyKey } from './entities/idempotency-key.entity.js';
export { Installation } from './entities/installation.entity.js';
export { LoginState } from './entities/login-state.entity.js';
export { MonitorState } from './entities/monitor-state.entity.js';
export { OneTimeToken, type OneTimeTokenPurpose } from './entities/one-time-token.entity.js';
export { Outage } from './entities/outage.entity.js';
export { OutgoingMail } from './entities/outgoing-mail.entity.js';
export { type NoticeType, OutgoingNotice } from './entities/outgoing-notice.entity.js';
export { PoolBackend } from './entities/pool-backend.entity.js';
export { Pool } from './entities/pool.entity.js';
export { RecoveryCode } from './entities/recovery-code.entity.js';
export { ServerSample } from './entities/server-sample.entity.js';
export { Session, type SessionKind } from './entities/session.entity.js';
export { Slice, type DesiredState, type RuntimeKind, type SliceStatus } from './entities/slice.entity.js';
export { SliceEvent, type SliceEventOutcome } from './entities/slice-event.entity.js';
export { SliceRollup } from './entities/slice-rollup.entity.js';
export { type InstanceState, SliceSample } from './entities/slice-sample.entity.js';
export { SliceWatch } from './entities/slice-watch.entity.js';
export { StoredSettings } from './entities/stored-settings.entity.js';
export { UserIdentity } from './entities/user-identity.entity.js';
export { User, type UserRole } from './entities/user.entity.js';
export { DataDirClaim } from './control/data-dir-claim.js';
export { CONTROL_SESSION } from './control/control-session.js';
export { ControlConnection } from './control/control-connection.js';
export { Election } from './control/election.js';
export { OutboxWorker } from './control/outbox-worker.js';
export { DataDirInUse } from './embedded/data-dir-claim.js';
export { EmbeddedPostgres } from './embedded/embedded-postgres.js';
export { API_KEY_MAC, SEALED_COLUMNS } from './sealed/sealed-columns.js';
export {
  type RotatedPart,
  type Rotation,
  type SealedPlace,
  SecretRotation,
} from './sealed/secret-rotation.js';
export { Transactions } from './transactions.js';
export { isDatabaseUnavailable, isForeignKeyViolation, isUniqueViolation } from './errors.js';
