import { describe, expect, it } from '@jest/globals';
import { SUBSCRIPTION_STATUSES as STATUSES, type SubscriptionStatus } from '#database';
import { entitlementOf, type EntitlementRules, goesOn, type SubscriptionState } from './entitlement.js';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-03-01T12:00:00Z');
const RULES: EntitlementRules = { enabled: true, required: false, graceMs: 7 * DAY };

function ago(days: number): Date {
  return new Date(NOW - days * DAY);
}

/** What each status is worth; the second where a subscription is required from the start. */
const WORTH: Record<SubscriptionStatus, readonly [boolean, boolean]> = {
  none: [true, false],
  trialing: [true, true],
  active: [true, true],
  past_due: [true, true],
  unpaid: [false, false],
  canceled: [false, false],
  incomplete: [false, false],
  incomplete_expired: [false, false],
  paused: [false, false],
};

function state(status: SubscriptionStatus, pastDueDays = 1): SubscriptionState {
  return { status, pastDueSince: status === 'past_due' ? ago(pastDueDays) : null };
}

describe('what a subscription is worth', () => {
  it.each(STATUSES)('%s', (status) => {
    const [free, required] = WORTH[status];
    expect(entitlementOf(state(status), RULES, NOW).entitled).toBe(free);
    expect(entitlementOf(state(status), { ...RULES, required: true }, NOW).entitled).toBe(required);
  });

  it.each(STATUSES)('%s is worth everything where there is no billing', (status) => {
    const disabled = { ...RULES, enabled: false, required: true };
    expect(entitlementOf(state(status, 400), disabled, NOW)).toEqual({ entitled: true, until: Infinity });
  });

  it.each([
    ['at once', 0, 7, true],
    ['a millisecond before its end', 7 - 1 / DAY, 7, true],
    ['at its end', 7, 7, false],
    ['after it', 8, 7, false],
    ['at once where there is none', 0, 0, false],
  ])('a payment that is missing is forgiven in the time of grace: %s', (_when, days, grace, entitled) => {
    const found = entitlementOf(state('past_due', days), { ...RULES, graceMs: grace * DAY }, NOW);
    expect(found.entitled).toBe(entitled);
    if (entitled) expect(found.until).toBe(NOW - days * DAY + grace * DAY);
  });

  it.each(STATUSES.filter((status) => status !== 'past_due'))(
    '%s does not change by time alone',
    (status) => {
      const now = entitlementOf(state(status), RULES, NOW);
      expect(now.until).toBe(Infinity);
      expect(entitlementOf(state(status), RULES, NOW + 400 * DAY)).toEqual(now);
    },
  );
});

describe('a second subscription', () => {
  it.each(STATUSES)('beside one that is %s', (status) => {
    const inTheWay = ['trialing', 'active', 'past_due', 'unpaid', 'paused'];
    expect(goesOn(status)).toBe(inTheWay.includes(status));
  });
});
