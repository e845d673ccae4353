import { RateLimiterRedis } from 'rate-limiter-flexible';
import { BoundedMemoryLimiter } from '../limits/bounded-memory-limiter.js';
import { COUNTER_OPTIONS } from '../limits/counter-options.js';
import { HitCounter } from '../limits/hit-counter.js';
import type { RedisClient, RedisConnection } from './redis-connection.js';

/**
 * Counts that all replicas share. While Redis is away each one counts for itself: a limit then holds once per replica,
 * which is more than it allows, and far less than none.
 */
export function redisHitCounter(redis: RedisConnection): HitCounter {
  return new HitCounter(
    new RateLimiterRedis({
      ...COUNTER_OPTIONS,
      storeClient: new CounterClient(redis),
      useRedisPackage: true,
      insuranceLimiter: new BoundedMemoryLimiter(),
    }),
  );
}

/** What rate-limiter-flexible needs of a client, over a connection that changes its client when it was lost. */
class CounterClient {
  constructor(private readonly redis: RedisConnection) {}

  eval(...args: Parameters<RedisClient['eval']>): Promise<unknown> {
    return this.redis.run((client) => client.eval(...args));
  }

  del(key: string): Promise<number> {
    return this.redis.run((client) => client.del(key));
  }
}
