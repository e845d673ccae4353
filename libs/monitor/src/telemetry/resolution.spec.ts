import { describe, expect, it } from '@jest/globals';
import { resolutionFor } from './resolution.js';

const HOURS = Array.from({ length: 168 }, (_, i) => i + 1);

describe('the resolution of a series', () => {
  it('has at most 1,000 points, whenever it is asked', () => {
    for (const now of [0, 1, 59_999, 60_000, 899_999].map((offset) => 1_800_000_000_000 + offset)) {
      for (const hours of HOURS) {
        const { from, stepSeconds } = resolutionFor(hours, now);
        const points = Math.floor((now - from.getTime()) / (stepSeconds * 1000)) + 1;
        expect(points).toBeLessThanOrEqual(1000);
      }
    }
  });

  it('covers the hours but for a part of a step', () => {
    for (const hours of HOURS) {
      const { from, to, stepSeconds } = resolutionFor(hours, 1_800_000_012_345);
      const missing = hours * 3600 - (to.getTime() - from.getTime()) / 1000;
      expect(missing).toBeGreaterThanOrEqual(0);
      expect(missing).toBeLessThanOrEqual(stepSeconds);
    }
  });
});
