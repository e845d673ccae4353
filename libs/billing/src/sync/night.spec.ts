import { describe, expect, it } from '@jest/globals';
import { lastNight } from './night.js';

describe('the last night', () => {
  it.each([
    ['2026-03-01T02:59:59.999Z', '2026-02-28T03:00:00.000Z'],
    ['2026-03-01T03:00:00.000Z', '2026-03-01T03:00:00.000Z'],
    ['2026-03-01T23:59:00.000Z', '2026-03-01T03:00:00.000Z'],
    ['2026-03-02T00:00:00.000Z', '2026-03-01T03:00:00.000Z'],
  ])('before %s began at %s', (now, night) => {
    expect(new Date(lastNight(Date.parse(now))).toISOString()).toBe(night);
  });
});
