import { expect, it } from '@jest/globals';
import { TestClock } from '../../../../test/support/test-clock.js';
import { LogThrottle } from './log-throttle.js';

it('admits one line a second and subject', () => {
  const clock = new TestClock();
  const throttle = new LogThrottle(clock);
  expect([throttle.admits('a'), throttle.admits('a'), throttle.admits('b')]).toEqual([true, false, true]);
  clock.advance(999);
  expect(throttle.admits('a')).toBe(false);
  clock.advance(1);
  expect([throttle.admits('a'), throttle.admits('a')]).toEqual([true, false]);
});
