import { describe, expect, it } from '@jest/globals';
import { PatientSlots } from './patient-slots.js';

const LONG_MS = 60_000;
const never = (): Promise<never> => new Promise(() => undefined);

describe('patient slots', () => {
  it('do so much at once', async () => {
    const slots = new PatientSlots(2, LONG_MS);
    const open: Array<() => void> = [];
    const works = Array.from({ length: 5 }, () =>
      slots.run(() => new Promise<void>((resolve) => open.push(resolve))),
    );
    for (let done = 0; done < 5; done += 1) {
      await new Promise(setImmediate);
      expect(open).toHaveLength(Math.min(2, 5 - done));
      open.shift()?.();
    }
    await Promise.all(works);
  });

  it('give the slot of what hangs to the next one', async () => {
    const slots = new PatientSlots(1, 10);
    for (let i = 0; i < 3; i += 1) void slots.run(never);
    expect(await slots.run(() => Promise.resolve('done'))).toBe('done');
  });

  it('pass on what the work throws, at once or later', async () => {
    const slots = new PatientSlots(1, LONG_MS);
    await expect(slots.run(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
    await expect(
      slots.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await slots.run(() => Promise.resolve(1))).toBe(1);
  });

  it('wait for what takes longer, though not with its slot', async () => {
    const slots = new PatientSlots(1, 1);
    const { promise, resolve } = Promise.withResolvers<string>();
    const slow = slots.run(() => promise);
    await slots.run(() => Promise.resolve());
    resolve('at last');
    expect(await slow).toBe('at last');
  });
});
