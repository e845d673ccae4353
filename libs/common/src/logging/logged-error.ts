/** What a log line says of an error. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  /** With the stacks of its causes. */
  readonly stack?: string;
  readonly code?: string | number;
  /** Those of an AggregateError: a host with several addresses fails once for each. */
  readonly errors?: readonly LoggedError[];
}

/** An error as pino's own serializer leaves it (pino-std-serializers): every property it carries is still there. */
interface SerializedError extends LoggedError {
  readonly stack: string;
  readonly aggregateErrors?: readonly unknown[];
}

/**
 * An error for the log: what it is called, says and where it was thrown, and nothing else that it carries. A failed
 * query carries its parameters and the row that was refused (password hashes, session ids, customers' addresses), an
 * HTTP client's error the headers it sent.
 */
export function loggedError(error: unknown): LoggedError {
  if (!isSerializedError(error)) return { type: typeof error, message: String(error) };
  const { type, message, stack, code, aggregateErrors } = error;
  return {
    type,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(aggregateErrors === undefined ? {} : { errors: aggregateErrors.map(loggedError) }),
  };
}

function isSerializedError(error: unknown): error is SerializedError {
  return typeof error === 'object' && error !== null && 'stack' in error && 'message' in error;
}
