import type { Clock } from '#common';

const FIRST_MS = 2000;
const LONGEST_MS = 5 * 60_000;

/** An attempt that held for so long has helped. */
const HELPED_AFTER_MS = 60_000;

interface Attempts {
  generation: number;
  count: number;
  notBefore: number;
}

/** A slice in the state that somebody desires. */
type Wish = Readonly<{ id: number; generation: number }>;

/**
 * Spaces out the attempts at what keeps failing, by itself or a moment after it came up: at once, then after 2 s, 4 s,
 * 8 s … 5 min. A new wish starts afresh.
 */
export class Backoff {
  private readonly entries = new Map<number, Attempts>();

  constructor(private readonly clock: Clock) {}

  /** Whether the next attempt is due. */
  allows(wish: Wish): boolean {
    return this.clock.nowMs() >= (this.attemptsAt(wish)?.notBefore ?? 0);
  }

  /** An attempt has come to its end, whatever that was. */
  attempted(wish: Wish): void {
    const count = (this.attemptsAt(wish)?.count ?? 0) + 1;
    const delay = Math.min(FIRST_MS * 2 ** (count - 1), LONGEST_MS);
    this.entries.set(wish.id, {
      generation: wish.generation,
      count,
      notBefore: this.clock.nowMs() + delay,
    });
  }

  /** Nothing is wrong with it now: forgets the attempts once that has been so for a minute after the last one's delay. */
  steady({ id }: Wish): void {
    const entry = this.entries.get(id);
    if (entry !== undefined && this.clock.nowMs() >= entry.notBefore + HELPED_AFTER_MS)
      this.entries.delete(id);
  }

  /** Forgets all others, which are no more. */
  keepOnly(ids: ReadonlySet<number>): void {
    for (const id of this.entries.keys()) if (!ids.has(id)) this.entries.delete(id);
  }

  private attemptsAt({ id, generation }: Wish): Attempts | undefined {
    const entry = this.entries.get(id);
    return entry?.generation === generation ? entry : undefined;
  }
}
