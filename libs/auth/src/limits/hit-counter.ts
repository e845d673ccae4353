import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { BoundedMemoryLimiter } from './bounded-memory-limiter.js';

export interface Hits {
  /** In the window, this one included. */
  readonly count: number;
  /** Until the window ends and the count is zero again. */
  readonly resetSeconds: number;
}

/** Counts in windows of time: the one place all limits of our own endpoints are counted in. */
export class HitCounter {
  /** @param limiter where the counts are kept: in memory, unless the replicas are to share them */
  constructor(private readonly limiter: RateLimiterAbstract = new BoundedMemoryLimiter()) {}

  /** Counts one more under this key, or several; the first one opens a window of so many seconds. */
  async hit(key: string, windowSeconds: number, hits = 1): Promise<Hits> {
    // `penalty` counts and never refuses: who is over a limit is for the caller to say.
    const { consumedPoints, msBeforeNext } = await this.limiter.penalty(key, hits, {
      customDuration: windowSeconds,
    });
    return { count: consumedPoints, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) };
  }

  /** Counts one less: what was counted turned out to be none. */
  async takeBack(key: string, windowSeconds: number): Promise<void> {
    await this.limiter.reward(key, 1, { customDuration: windowSeconds });
  }

  async forget(key: string): Promise<void> {
    await this.limiter.delete(key);
  }
}
