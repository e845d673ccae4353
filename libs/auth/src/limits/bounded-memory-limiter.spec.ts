import { describe, expect, it } from '@jest/globals';
import { BoundedMemoryLimiter } from './bounded-memory-limiter.js';
import { HitCounter } from './hit-counter.js';

const WINDOW = 900;

async function hit(counter: HitCounter, key: string): Promise<number> {
  return (await counter.hit(key, WINDOW)).count;
}

describe('counts in memory', () => {
  it('are no more than the bound, however many keys there are', async () => {
    const limiter = new BoundedMemoryLimiter(100);
    const counter = new HitCounter(limiter);
    for (let i = 0; i < 1000; i++) {
      await hit(counter, `login:${i}@example.com`);
      await counter.takeBack(`sign-up:${i}`, WINDOW);
    }
    expect(limiter.dump().storage).toHaveLength(100);
  });

  it('are forgotten in the order in which they were hit last', async () => {
    const counter = new HitCounter(new BoundedMemoryLimiter(3));
    for (const key of ['a', 'b', 'c', 'a', 'd']) await hit(counter, key);
    expect([await hit(counter, 'a'), await hit(counter, 'c')]).toEqual([3, 2]);
    expect(await hit(counter, 'b')).toBe(1);
  });

  it('begin anew after they were cleared', async () => {
    const counter = new HitCounter(new BoundedMemoryLimiter(3));
    await hit(counter, 'a');
    await counter.forget('a');
    expect(await hit(counter, 'a')).toBe(1);
  });

  it('are counted as before once a hit was taken back', async () => {
    const counter = new HitCounter(new BoundedMemoryLimiter(3));
    await hit(counter, 'a');
    await hit(counter, 'a');
    await counter.takeBack('a', WINDOW);
    expect(await hit(counter, 'a')).toBe(2);
  });
});
