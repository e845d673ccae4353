import type { Clock } from '#common';

const FIRST_MS = 2000;
const LONGEST_MS = 5 * 60_000;

/** Spaces out the attempts at what keeps failing: 2 s, 4 s, 8 s … 5 min. */
export class Backoff {
  private readonly entries = new Map<number, { failures: number; notBefore: number }>();

  constructor(private readonly clock: Clock) {}

  allows(id: number): boolean {
    return this.clock.nowMs() >= (this.entries.get(id)?.notBefore ?? 0);
  }

  failed(id: number): void {
    const failures = (this.entries.get(id)?.failures ?? 0) + 1;
    const delay = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
    this.entries.set(id, { failures, notBefore: this.clock.nowMs() + delay });
  }

  succeeded(id: number): void {
    this.entries.delete(id);
  }
}
