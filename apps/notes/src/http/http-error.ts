/** One fault of a request's input; `path` is the field it concerns, empty for the body itself. */
export interface Fault {
  path: string;
  message: string;
}

interface HttpErrorOptions {
  details?: readonly Fault[];
  /** Sent with the answer. */
  headers?: Readonly<Record<string, string>>;
  /** What happened below; logged, never shown. */
  cause?: unknown;
}

/** An error whose status, code and message are meant for the caller. */
export class HttpError extends Error {
  readonly status: number;
  /** Stable, UPPER_SNAKE; what a client should match on. */
  readonly code: string;
  readonly details: readonly Fault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { details, headers, cause }: HttpErrorOptions = {},
  ) {
    super(message, { cause });
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.details = details;
    this.headers = headers ?? {};
  }
}

/** 404 for a thing that is not there. */
export function notFound(what: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `${what} not found`);
}

/** 400 with one entry per fault. */
export function validationFailed(details: readonly Fault[]): HttpError {
  return new HttpError(400, 'VALIDATION_FAILED', 'The input is not valid', { details });
}
