import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { HitCounter } from './hit-counter.js';

type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** @nestjs/throttler on our one counter. */
@Injectable()
export class HitCounterStorage implements ThrottlerStorage {
  constructor(private readonly hits: HitCounter) {}

  /** @param ttl milliseconds, as the throttler gives it; what it takes back is in seconds */
  async increment(key: string, ttl: number, limit: number): Promise<ThrottlerRecord> {
    const { count, resetSeconds } = await this.hits.hit(key, ttl / 1000);
    return {
      totalHits: count,
      timeToExpire: resetSeconds,
      isBlocked: count > limit,
      timeToBlockExpire: resetSeconds,
    };
  }
}
