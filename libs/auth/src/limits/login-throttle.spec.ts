import { describe, expect, it } from '@jest/globals';
import { AuthLimits } from './auth-limits.js';
import { HitCounter } from './hit-counter.js';
import { delayAfter, LoginThrottle } from './login-throttle.js';

describe('delayAfter', () => {
  it('is nothing for the first few tries, then doubles, and ends at a bound a person can wait for', () => {
    const limits = new AuthLimits();
    const delays = Array.from({ length: 12 }, (_, i) => delayAfter(i + 1, limits));
    expect(delays).toEqual([0, 0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
    expect(delayAfter(1_000_000, limits)).toBe(5000);
  });
});

describe('LoginThrottle', () => {
  const limits = new AuthLimits({ loginsPerAccountAndNetwork: 2, promptLogins: 1000 });

  it('counts tries at once as well as tries in turn', async () => {
    const throttle = new LoginThrottle(new HitCounter(), limits);
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, () => throttle.admit('a@example.com', '203.0.113.1')),
    );
    expect(tries.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ]);
  });

  it('keeps accounts and networks apart', async () => {
    const throttle = new LoginThrottle(new HitCounter(), limits);
    for (let i = 0; i < 2; i++) await throttle.admit('a@example.com', '203.0.113.1');
    await expect(throttle.admit('a@example.com', '203.0.113.99')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
    });
    await throttle.admit('b@example.com', '203.0.113.1');
    await throttle.admit('a@example.com', '203.0.114.1');
  });

  it('does not count a refused try against the account', async () => {
    const hits = new HitCounter();
    const throttle = new LoginThrottle(hits, limits);
    for (let i = 0; i < 50; i++) await throttle.admit('a@example.com', '203.0.113.1').catch(() => undefined);
    expect(await hits.hit('login:anywhere:a@example.com', 900)).toMatchObject({ count: 3 });
  });
});
