import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HitCounter } from '../limits/hit-counter.js';
import { MailLimits, MailThrottle } from './mail-throttle.js';

const EMAIL = 'ada@example.com';
const OWNER = '198.51.100.7';
const MINUTE_MS = 60_000;

const wait = (throttle: MailThrottle, ip: string, email = EMAIL) =>
  throttle.waitFor(email, 'reset-password', ip);

/** From one network after the other; how many of the mails go out. */
async function flood(throttle: MailThrottle, networks: number): Promise<number> {
  let sent = 0;
  for (let network = 0; network < networks; network++) {
    for (let i = 0; i < 5; i++) if ((await wait(throttle, `203.0.${network}.${i}`)) === 0) sent++;
  }
  return sent;
}

describe('MailThrottle', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const limits = new MailLimits({ perAddressAndNetwork: 2, perAddress: 6 });
  const throttled = () => new MailThrottle(new HitCounter(), limits);
  it('holds one network to its count, and lets the owner’s through all the same', async () => {
    const throttle = throttled();
    expect(await flood(throttle, 1)).toBe(2);
    expect(await wait(throttle, '203.0.0.99')).toBeGreaterThan(MINUTE_MS / 1000);
    expect(await wait(throttle, OWNER)).toBe(0);
  });

  it('holds any number of networks to a trickle, which never dries up', async () => {
    const throttle = throttled();
    expect(await flood(throttle, 40)).toBe(6 + 1);
    expect(await wait(throttle, OWNER)).toBeGreaterThan(0);
    jest.advanceTimersByTime(15 * MINUTE_MS);
    expect(await wait(throttle, OWNER)).toBe(0);
    expect(await wait(throttle, OWNER)).toBeGreaterThan(0);
  });

  it('counts each address and each kind of mail by itself', async () => {
    const throttle = throttled();
    await flood(throttle, 40);
    expect(await wait(throttle, '203.0.0.1', 'bob@example.com')).toBe(0);
    expect(await throttle.waitFor(EMAIL, 'verify-email', '203.0.0.1')).toBe(0);
  });
});
