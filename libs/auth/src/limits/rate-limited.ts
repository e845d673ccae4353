import { CoreError } from '#common';
import type { Hits } from './hit-counter.js';

/** 429 with all that a client needs to come back in time; undefined while the count is within the limit. */
export function rateLimited(
  { count, resetSeconds }: Hits,
  limit: number,
  message: string,
): CoreError | undefined {
  if (count <= limit) return undefined;
  return new CoreError('RATE_LIMITED', message, { rateLimit: { limit, resetSeconds } });
}
