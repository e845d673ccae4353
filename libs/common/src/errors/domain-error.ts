import type {
  AdminErrorCode,
  AuthErrorCode,
  BillingErrorCode,
  CoreErrorCode,
  ErrorCode,
  OrchestratorErrorCode,
  ProxyErrorCode,
  RouteName,
} from './codes.js';

/** One fault of a request's input; `path` is dotted (`env.PORT`), empty for the body itself. */
export interface ErrorDetail {
  path: string;
  message: string;
  /** Where the input is a text of many lines: from 1, and null where it is in none. */
  line?: number | null;
}

/** So many requests were allowed, and are again in so many seconds. */
export interface ExceededLimit {
  readonly limit: number;
  readonly resetSeconds: number;
}

export interface DomainErrorOptions {
  /** One entry per faulty field; shown to the caller. */
  details?: readonly ErrorDetail[];
  /** Sent as `Retry-After`, in whole seconds. */
  retryAfterSeconds?: number;
  /** The limit that was passed: sent as `RateLimit-*`, and its end as `Retry-After`. */
  rateLimit?: ExceededLimit;
  /** What happened below; logged, never shown. */
  cause?: unknown;
}

/**
 * A fault with a stable code and a message for the caller that says what to do. Anything else that is thrown is a
 * defect, and is answered as `INTERNAL_ERROR` without a word of what it was.
 */
export abstract class DomainError<Code extends ErrorCode = ErrorCode> extends Error {
  abstract readonly route: RouteName;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly rateLimit: ExceededLimit | undefined;

  constructor(
    readonly code: Code,
    message: string,
    options: DomainErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds ?? options.rateLimit?.resetSeconds;
    this.rateLimit = options.rateLimit;
  }
}

export class CoreError extends DomainError<CoreErrorCode> {
  readonly route = 'core';
}

export class AuthError extends DomainError<AuthErrorCode> {
  readonly route = 'auth';
}

export class OrchestratorError extends DomainError<OrchestratorErrorCode> {
  readonly route = 'orchestrator';
}

export class ProxyError extends DomainError<ProxyErrorCode> {
  readonly route = 'proxy';
}

export class BillingError extends DomainError<BillingErrorCode> {
  readonly route = 'billing';
}

export class AdminError extends DomainError<AdminErrorCode> {
  readonly route = 'admin';
}
