import { CoreError } from '#common';

/** What callers get while there is no control connection. */
export function controlUnavailable(cause?: unknown): CoreError {
  return new CoreError(
    'DATABASE_UNAVAILABLE',
    'The database can not be reached. Please try again in a moment.',
    {
      cause,
      retryAfterSeconds: 1,
    },
  );
}
