import { Interval } from '@nestjs/schedule';
import { LRUCache } from 'lru-cache';
import { HitCounter, rateLimited } from '#auth';
import type { Clock } from '#common';
import type { RateLimit } from '#config';

/** What other replicas learn of a request later than this. */
const SYNC_INTERVAL_MS = 1000;
/** Clients counted at the same time; as many as are counted in memory. */
const MAX_CLIENTS = 50_000;
/** Counts sent to Redis in one go. */
const BATCH = 500;

/** What is shared of one count. */
interface SharedCount {
  readonly windowSeconds: number;
  readonly endsAtMs: number;
  /** Counted here, and not told yet. */
  unsent: number;
  /** Told in the window that the shared counter is in, and when that ends. */
  sent: number;
  sharedEndsAtMs: number;
  /** Counted by the other replicas in it. */
  others: number;
}

/**
 * The rate limits of routes. A request is counted in memory and decided on at once; with Redis, what was counted is told
 * every second, and what the other replicas counted is added. A limit can so be passed by what comes within a second at
 * several replicas, and no request ever waits for it.
 */
export class RouteLimiter {
  readonly #local = new HitCounter();
  readonly #shared: HitCounter | null;
  readonly #clock: Clock;
  readonly #counts = new LRUCache<string, SharedCount>({ max: MAX_CLIENTS });
  #syncing: Promise<void> | null = null;

  /** @param shared what all replicas count in; null: there is only this one */
  constructor(shared: HitCounter | null, clock: Clock) {
    this.#shared = shared;
    this.#clock = clock;
  }

  /**
   * Counts a request. A limit over another length of time is another count: one that changes begins anew.
   * @param client names the route and the client
   * @throws CoreError RATE_LIMITED
   */
  async admit(client: string, { requests, windowSeconds }: RateLimit): Promise<void> {
    const key = `${windowSeconds}:${client}`;
    const { count, resetSeconds } = await this.#local.hit(key, windowSeconds);
    const others = this.#shared === null ? 0 : this.#note(key, windowSeconds, resetSeconds);
    const refusal = rateLimited(
      { count: count + others, resetSeconds },
      requests,
      'Too many requests. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
  }

  /** Tells and hears of all counts; a call while that is under way joins it. */
  @Interval(SYNC_INTERVAL_MS)
  sync(): Promise<void> {
    this.#syncing ??= this.#exchange().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  /** @returns how often the others counted */
  #note(key: string, windowSeconds: number, resetSeconds: number): number {
    const now = this.#clock.nowMs();
    const known = this.#counts.get(key);
    if (known !== undefined && known.endsAtMs > now) {
      known.unsent++;
      return known.others;
    }
    const endsAtMs = now + resetSeconds * 1000;
    this.#counts.set(key, { windowSeconds, endsAtMs, unsent: 1, sent: 0, sharedEndsAtMs: 0, others: 0 });
    return 0;
  }

  async #exchange(): Promise<void> {
    const now = this.#clock.nowMs();
    const due: [string, SharedCount][] = [];
    for (const [key, count] of this.#counts.entries()) {
      if (count.unsent > 0) due.push([key, count]);
      else if (count.endsAtMs <= now) this.#counts.delete(key);
    }
    for (let i = 0; i < due.length; i += BATCH) {
      await Promise.all(due.slice(i, i + BATCH).map(([key, count]) => this.#tell(key, count)));
    }
  }

  async #tell(key: string, count: SharedCount): Promise<void> {
    const { unsent, windowSeconds } = count;
    count.unsent = 0;
    const hits = await this.#shared?.hit(`route:${key}`, windowSeconds, unsent);
    if (hits === undefined) return;
    const now = this.#clock.nowMs();
    count.sent = now < count.sharedEndsAtMs ? count.sent + unsent : unsent;
    count.sharedEndsAtMs = now + hits.resetSeconds * 1000;
    // Less than what we alone have told: Redis is away, and a counter of our own stood in for it.
    if (hits.count >= count.sent) count.others = hits.count - count.sent;
  }
}
