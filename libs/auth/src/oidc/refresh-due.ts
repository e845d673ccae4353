import type { ProviderTokens } from '../sessions/provider-tokens.js';

/** Tokens that can be refreshed, and of which it is known when they have to be. */
export type RefreshableTokens = ProviderTokens & {
  readonly refreshToken: string;
  readonly accessExpiresAtMs: number;
};

/** Without a refresh token nothing can be done, and without an end of the access token nothing has to. */
export function isRefreshable(tokens: ProviderTokens): tokens is RefreshableTokens {
  return tokens.refreshToken !== null && tokens.accessExpiresAtMs !== null;
}

/**
 * When the access token is to be refreshed: `skewMs` before its end, in milliseconds since the epoch. One that lives
 * hardly longer than that would be refreshed by every request; so half of its life is left to it at the least.
 */
export function refreshDueAtMs(
  { obtainedAtMs, accessExpiresAtMs }: RefreshableTokens,
  skewMs: number,
): number {
  const lifeMs = accessExpiresAtMs - obtainedAtMs;
  return accessExpiresAtMs - Math.min(skewMs, lifeMs / 2);
}
