import type { ExceededLimit } from './domain-error.js';

/** What a refusal says of its limit (draft-ietf-httpapi-ratelimit-headers-05). */
export function rateLimitHeaders({ limit, resetSeconds }: ExceededLimit): Record<string, string> {
  return {
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': '0',
    'RateLimit-Reset': String(resetSeconds),
  };
}
