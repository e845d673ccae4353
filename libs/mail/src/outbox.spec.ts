import { describe, expect, it } from '@jest/globals';
import { backOffAfter } from './outbox.js';

describe('the back-off of a mail', () => {
  it('begins at a minute, doubles with each attempt, and ends at an hour', () => {
    const minutes = Array.from({ length: 9 }, (_, i) => backOffAfter(i + 1) / 60_000);
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(backOffAfter(10_000)).toBe(3_600_000);
  });
});
