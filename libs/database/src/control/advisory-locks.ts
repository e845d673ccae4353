import { setTimeout as delay } from 'node:timers/promises';
import type { ControlSession } from './control-session.js';
import { LocalMutexes } from './local-mutexes.js';
import { lockKey } from './lock-key.js';

const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 250;

/** A lock across all replicas. `await using` releases it. */
export interface Lock extends AsyncDisposable {
  /** Aborted when the lock is lost with the connection: another replica may hold it now, so stop what it protects. */
  readonly signal: AbortSignal;

  /** Gives the lock back. Never rejects: a lost connection has given it back already. */
  release(): Promise<void>;
}

export interface AcquireOptions {
  /** Ends the wait with its reason. */
  signal?: AbortSignal;
  /** Ends the wait with a DOMException named TimeoutError. */
  timeoutMs?: number;
}

/**
 * PostgreSQL's advisory locks on one session. A session can take the same lock twice, so within the process a mutex
 * stands before it; between processes only `pg_try_advisory_lock` is used, because a waiting one would hold up every
 * other lock of this session.
 */
export class AdvisoryLocks {
  private readonly mutexes = new LocalMutexes();
  private readonly held = new Set<HeldLock>();

  /** @param session gives the session in force, or throws when there is none */
  constructor(private readonly session: () => ControlSession) {}

  /** Takes the lock if it is free, at once. */
  async tryLock(key: string): Promise<Lock | null> {
    if (!this.mutexes.tryEnter(key)) return null;
    return this.orLeave(key, () => this.take(key));
  }

  /** Takes the lock, in the order of calling within this process, by asking again and again between processes. */
  async acquire(key: string, { signal, timeoutMs }: AcquireOptions = {}): Promise<Lock> {
    const limits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
    const limit = AbortSignal.any(limits.filter((each) => each !== undefined));
    await this.mutexes.enter(key, limit);
    const lock = await this.orLeave(key, () => this.poll(key, limit));
    if (lock !== null) return lock;
    throw limit.reason;
  }

  /** Tells every holder that its lock went with the session. */
  abortAll(reason: unknown): void {
    for (const lock of this.held) lock.abort(reason);
    this.held.clear();
  }

  private async poll(key: string, limit: AbortSignal): Promise<Lock | null> {
    for (let pause = FIRST_POLL_MS; !limit.aborted; pause = Math.min(pause * 1.5, LONGEST_POLL_MS)) {
      const lock = await this.take(key);
      if (lock !== null) return lock;
      await delay(pause, undefined, { ref: false, signal: limit }).catch(() => undefined);
    }
    return null;
  }

  private async take(key: string): Promise<Lock | null> {
    const session = this.session();
    const { rows } = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      lockKey(key),
    ]);
    if (rows[0]?.taken !== true) return null;
    const lock = new HeldLock(async () => {
      this.held.delete(lock);
      if (!session.lost.aborted)
        await session.query('SELECT pg_advisory_unlock($1)', [lockKey(key)]).catch(() => undefined);
      this.mutexes.leave(key);
    });
    if (session.lost.aborted) lock.abort(session.lost.reason);
    else this.held.add(lock);
    return lock;
  }

  private async orLeave(key: string, attempt: () => Promise<Lock | null>): Promise<Lock | null> {
    let lock: Lock | null = null;
    try {
      lock = await attempt();
      return lock;
    } finally {
      if (lock === null) this.mutexes.leave(key);
    }
  }
}

class HeldLock implements Lock {
  private readonly lost = new AbortController();
  private released: Promise<void> | undefined;

  constructor(private readonly giveBack: () => Promise<void>) {}

  get signal(): AbortSignal {
    return this.lost.signal;
  }

  release(): Promise<void> {
    this.released ??= this.giveBack();
    return this.released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  abort(reason: unknown): void {
    this.lost.abort(reason);
  }
}
