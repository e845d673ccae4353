export { connectionOf } from './connection.js';
export { dataSourceOptions, type Connection } from './data-source-options.js';
export { IdempotencyKey } from './entities/idempotency-key.entity.js';
export { Installation } from './entities/installation.entity.js';
export { Session } from './entities/session.entity.js';
export { SlicePort } from './entities/slice-port.entity.js';
export { Slice, type DesiredState, type RuntimeKind, type SliceStatus } from './entities/slice.entity.js';
export { User, type UserRole } from './entities/user.entity.js';
