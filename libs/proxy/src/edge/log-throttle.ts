import { LRUCache } from 'lru-cache';
import type { Clock } from '#common';

const INTERVAL_MS = 1000;
/** Subjects remembered; more than that fail in one second only where everything fails. */
const CAPACITY = 1000;

/** Lets one line a second and subject into the log: what fails for everybody must not fill the disk as well. */
export class LogThrottle {
  private readonly loggedAt = new LRUCache<string, number>({ max: CAPACITY });

  constructor(private readonly clock: Clock) {}

  /** Whether a line of this subject may be written now; if so, it is taken as written. */
  admits(subject: string): boolean {
    const now = this.clock.nowMs();
    const last = this.loggedAt.get(subject);
    if (last !== undefined && now - last < INTERVAL_MS) return false;
    this.loggedAt.set(subject, now);
    return true;
  }
}
