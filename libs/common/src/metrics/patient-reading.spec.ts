import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from './metrics.js';
import type { GaugeReading } from './patient-reading.js';

describe('a figure that does not come', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is left out after two seconds, and asked for once however often somebody asks', async () => {
    const metrics = new Metrics();
    const answer = Promise.withResolvers<GaugeReading>();
    const read = jest.fn(() => answer.promise);
    metrics.gauge('sluice_hung', 'x', [], read);
    metrics.gauge('sluice_fine', 'x', ['of'], () => [{ labels: { of: 'y' }, value: 7 }]);
    for (let scrape = 0; scrape < 2; scrape += 1) {
      let text: string | null = null;
      const asked = metrics.text().then((whole) => (text = whole));
      await jest.advanceTimersByTimeAsync(1999);
      expect(text).toBeNull();
      await jest.advanceTimersByTimeAsync(1);
      expect(await asked).toContain('sluice_fine{of="y"} 7');
      expect(text).not.toMatch(/^sluice_hung/m);
    }
    expect(read).toHaveBeenCalledTimes(1);
    answer.resolve([{ value: 3 }]);
    expect(await metrics.text()).toMatch(/^sluice_hung 3$/m);
  });
});
