import { describe, expect, it } from '@jest/globals';
import type { ProviderTokens } from '../sessions/provider-tokens.js';
import { isRefreshable, refreshDueAtMs } from './refresh-due.js';

const MINUTE = 60_000;

function tokens(lifeMs: number): ProviderTokens {
  return {
    accessToken: 'access',
    refreshToken: 'refresh',
    idToken: null,
    obtainedAtMs: 1000,
    accessExpiresAtMs: 1000 + lifeMs,
    scope: null,
  };
}

describe('when a refresh is due', () => {
  it('is a minute before the access token ends', () => {
    expect(refreshDueAtMs(tokens(60 * MINUTE), MINUTE)).toBe(1000 + 59 * MINUTE);
  });

  it('is not before half of its life is over, however short that is', () => {
    expect(refreshDueAtMs(tokens(MINUTE), MINUTE)).toBe(1000 + MINUTE / 2);
    expect(refreshDueAtMs(tokens(0), MINUTE)).toBe(1000);
  });

  it('is at its end where no time is to be left', () => {
    expect(refreshDueAtMs(tokens(MINUTE), 0)).toBe(1000 + MINUTE);
  });

  it('is never where nobody says how long the access token lives', () => {
    expect(refreshDueAtMs({ ...tokens(MINUTE), accessExpiresAtMs: null }, MINUTE)).toBe(Infinity);
  });

  it('needs a refresh token', () => {
    expect(isRefreshable(tokens(1))).toBe(true);
    expect(isRefreshable({ ...tokens(1), refreshToken: null })).toBe(false);
  });
});
