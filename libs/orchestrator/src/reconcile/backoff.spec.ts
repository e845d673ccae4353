import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '../../../../test/support/test-clock.js';
import { Backoff } from './backoff.js';

const slice = { id: 1, generation: 1 };
let clock: TestClock;
let backoff: Backoff;

beforeEach(() => {
  clock = new TestClock();
  backoff = new Backoff(clock);
});

/** Makes an attempt as soon as one is due. @returns how long that took, in milliseconds, looked at every second */
function attempt(): number {
  const begun = clock.nowMs();
  while (!backoff.allows(slice)) clock.advance(1000);
  backoff.attempted(slice);
  return clock.nowMs() - begun;
}

describe('the back-off of a slice that keeps failing', () => {
  it('lets the first attempt be made at once, and doubles the wait from 2 s to 5 min', () => {
    const waits = Array.from({ length: 11 }, attempt);
    expect(waits.map((ms) => ms / 1000)).toEqual([0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('is of that slice alone', () => {
    attempt();
    expect(backoff.allows(slice)).toBe(false);
    expect(backoff.allows({ id: 2, generation: 1 })).toBe(true);
  });

  it('does not hold up a new wish', () => {
    attempt();
    attempt();
    const changed = { ...slice, generation: 2 };
    expect(backoff.allows(changed)).toBe(true);
    backoff.attempted(changed);
    clock.advance(2000);
    expect(backoff.allows(changed)).toBe(true);
  });

  it('goes on when the slice comes up for a moment only', () => {
    attempt();
    attempt();
    clock.advance(30_000);
    backoff.steady(slice);
    expect(attempt()).toBe(0);
    expect(attempt()).toBe(8000);
  });

  it('is forgotten when the slice has been well for a minute', () => {
    attempt();
    attempt();
    clock.advance(64_000);
    backoff.steady(slice);
    expect(attempt()).toBe(0);
    expect(attempt()).toBe(2000);
  });

  it('is forgotten with the slice', () => {
    attempt();
    backoff.keepOnly(new Set([2]));
    expect(backoff.allows(slice)).toBe(true);
  });
});
