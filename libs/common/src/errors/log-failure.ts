import type { Logger } from '@nestjs/common';
import type { DomainError } from './domain-error.js';
import { errorCode } from './error-code.js';
import { statusOf } from './status-of.js';

/**
 * Logs an error that is answered by a 5xx; any other is the caller's. A defect is an error, with where in our code it
 * was thrown. What we refuse knowingly (the database is away, no port is free) is a warning in one line: the same
 * place in our code every time, and hundreds of times in an outage, would bury what is new.
 */
export function logFailure(logger: Logger, error: DomainError, reqId: string): void {
  if (statusOf(error.code) < 500) return;
  const { code, cause, message } = error;
  if (code === 'INTERNAL_ERROR') logger.error({ code, reqId, err: cause ?? error }, message);
  else logger.warn({ code, reqId, reason: reasonOf(error) }, message);
}

/**
 * What happened below an error in a few words; its own where nothing is known of that. A connection that fails at
 * several addresses has no message, but a code.
 */
export function reasonOf({ cause, message }: DomainError): string {
  return messageOf(cause) ?? errorCode(cause) ?? message;
}

function messageOf(cause: unknown): string | undefined {
  const told = typeof cause === 'object' && cause !== null && 'message' in cause ? cause.message : undefined;
  return typeof told === 'string' && told !== '' ? told : undefined;
}
