import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { COUNTER_OPTIONS } from './counter-options.js';

/** Counts that are kept at the same time; 630 bytes each were measured, which makes 32 MB. */
const MAX_KEYS = 50_000;

/**
 * Counts in memory, the ones hit least recently forgotten first. Without a bound, sign-ins with made-up addresses would
 * fill the memory, since each begins a count that lives as long as its window.
 *
 * What an attacker gains by pushing counts out: to reset one takes fifty thousand requests under other keys, and
 * each of these is counted under its address, too. Whoever has so many addresses need not reset any.
 */
export class BoundedMemoryLimiter extends RateLimiterMemory {
  private readonly recent: LRUCache<string, true>;

  constructor(maxKeys = MAX_KEYS) {
    super(COUNTER_OPTIONS);
    this.recent = new LRUCache({
      max: maxKeys,
      dispose: (_value, key, reason) => {
        if (reason === 'evict') void super.delete(key);
      },
    });
  }

  override penalty(...args: Parameters<RateLimiterMemory['penalty']>): Promise<RateLimiterRes> {
    this.recent.set(String(args[0]), true);
    return super.penalty(...args);
  }

  override reward(...args: Parameters<RateLimiterMemory['reward']>): Promise<RateLimiterRes> {
    this.recent.set(String(args[0]), true);
    return super.reward(...args);
  }

  override delete(key: string | number): Promise<boolean> {
    this.recent.delete(String(key));
    return super.delete(key);
  }
}
