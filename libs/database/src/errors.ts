import { CoreError, errorCode } from '#common';

/** Classes of SQLSTATE that say the server, or the way to it, is gone: connection exception, operator intervention. */
const UNAVAILABLE = /^(08...|57P0[1-5]|53300)$/;
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

const SOCKET_FAILURES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Errors that pg makes itself carry no code; nothing but the text tells them (pg/lib/client.js, pg-pool/index.js). */
const PG_OWN_FAILURES: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Query read timeout',
  'timeout expired',
  'timeout exceeded when trying to connect',
]);

/**
 * Tells whether an error means that the database can't be reached now, so that the same request may work later. Looks
 * through TypeORM's QueryFailedError, `cause` and AggregateError (a host with several addresses).
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return [...chain(error)].some(
    (each) =>
      (each instanceof CoreError && each.code === 'DATABASE_UNAVAILABLE') ||
      UNAVAILABLE.test(errorCode(each) ?? '') ||
      SOCKET_FAILURES.has(errorCode(each) ?? '') ||
      isPgOwnFailure(each) ||
      isLostRunner(each),
  );
}

/**
 * Tells whether an error is a breach of a unique constraint or index.
 * @param constraint its name; without one any will do
 */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, UNIQUE_VIOLATION, constraint);
}

/**
 * Tells whether an error is a reference to a row that is not there.
 * @param constraint its name; without one any will do
 */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, FOREIGN_KEY_VIOLATION, constraint);
}

function isViolation(error: unknown, code: string, constraint: string | undefined): boolean {
  return [...chain(error)].some(
    (each) =>
      errorCode(each) === code &&
      (constraint === undefined || ('constraint' in each && each.constraint === constraint)),
  );
}

/** The error, and every error it was made of. Told by shape: an error of another realm is no `instanceof Error`. */
function* chain(error: unknown, seen = new Set<unknown>()): Generator<object> {
  if (typeof error !== 'object' || error === null || seen.has(error)) return;
  seen.add(error);
  yield error;
  if ('cause' in error) yield* chain(error.cause, seen);
  if ('driverError' in error) yield* chain(error.driverError, seen);
  if ('errors' in error && Array.isArray(error.errors))
    for (const each of error.errors) yield* chain(each, seen);
}

/** TypeORM gives a connection back by itself when it is lost; the next statement of the same work then finds it gone. */
function isLostRunner(error: object): boolean {
  return 'name' in error && error.name === 'QueryRunnerAlreadyReleasedError';
}

function isPgOwnFailure(error: object): boolean {
  return 'message' in error && typeof error.message === 'string' && PG_OWN_FAILURES.has(error.message);
}
