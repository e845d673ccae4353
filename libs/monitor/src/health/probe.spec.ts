import { describe, expect, it } from '@jest/globals';
import { Probe } from './probe.js';

const SOON = 10;
const LATE = 10_000;

describe('a probe', () => {
  it('tells what answers from what fails', async () => {
    expect(await new Probe(() => Promise.resolve()).answers(LATE)).toBe(true);
    expect(await new Probe(() => Promise.reject(new Error('down'))).answers(LATE)).toBe(false);
  });

  it('asks a part that hangs once, and again when it has answered', async () => {
    let asked = 0;
    const first = Promise.withResolvers<void>();
    const probe = new Probe(() => (asked++ === 0 ? first.promise : Promise.resolve()));
    expect(await probe.answers(SOON)).toBe(false);
    expect(await probe.answers(SOON)).toBe(false);
    expect(asked).toBe(1);
    first.resolve();
    expect(await probe.answers(LATE)).toBe(true);
    expect(await probe.answers(LATE)).toBe(true);
    expect(asked).toBe(2);
  });
});
