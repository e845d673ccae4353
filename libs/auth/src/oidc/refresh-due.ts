import type { ProviderTokens } from '../sessions/provider-tokens.js';

/** Tokens that can be refreshed. */
export type RefreshableTokens = ProviderTokens & { readonly refreshToken: string };

export function isRefreshable(tokens: ProviderTokens): tokens is RefreshableTokens {
  return tokens.refreshToken !== null;
}

/**
 * When the access token is to be refreshed: `skewMs` before its end, in milliseconds since the epoch; Infinity where
 * the provider does not say how long it lives. One that lives hardly longer than the skew would be refreshed by every
 * request; so half of its life is left to it at the least.
 */
export function refreshDueAtMs({ obtainedAtMs, accessExpiresAtMs }: ProviderTokens, skewMs: number): number {
  if (accessExpiresAtMs === null) return Infinity;
  const lifeMs = accessExpiresAtMs - obtainedAtMs;
  return accessExpiresAtMs - Math.min(skewMs, lifeMs / 2);
}
