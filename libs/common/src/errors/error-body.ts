import type { DomainError, ErrorDetail } from './domain-error.js';
import { CoreError } from './domain-error.js';
import type { ErrorCode } from './codes.js';
import { statusOf } from './status-of.js';

/** The one error shape, for HTTP, the proxy and refused upgrades alike. */
export interface ErrorBody {
  error: string;
  code: ErrorCode;
  message: string;
  status: number;
  route: string;
  requestId: string;
  timestamp: string;
  details?: readonly ErrorDetail[];
}

/**
 * Clients written against the older gateways compare `error` with these very words.
 */
const NAMED_ERRORS: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: 'Not Found',
  SESSION_EXPIRED: 'Session expired',
};

/** Renders an error for the caller: nothing but what the error itself says, no stack and no cause. */
export function errorBody(error: DomainError, requestId: string, now: Date): ErrorBody {
  return {
    error: NAMED_ERRORS[error.code] ?? error.code.toLowerCase(),
    code: error.code,
    message: error.message,
    status: statusOf(error.code),
    route: error.route,
    requestId,
    timestamp: now.toISOString(),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

/** The answer to a defect: it says that something failed and how to report it, and nothing of what it was. */
export function internalError(cause: unknown): CoreError {
  return new CoreError(
    'INTERNAL_ERROR',
    'Something went wrong on our side. Please try again; if it goes on, report the requestId.',
    { cause },
  );
}
