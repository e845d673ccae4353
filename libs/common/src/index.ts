export { assertNever } from './assert-never.js';
export type * from './errors/codes.js';
export * from './errors/domain-error.js';
export { errorBody, internalError, type ErrorBody } from './errors/error-body.js';
export { statusOf } from './errors/status-of.js';
export { assignRequestId, requestIdOf } from './http/request-id.js';
export { Clock, SystemClock } from './time/clock.js';
