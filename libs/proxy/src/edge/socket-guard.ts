import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { type SessionRevocations, type SessionStore } from '#auth';
import type { ControlConnection } from '#database';
import type { SliceDirectory } from '#orchestrator';
import type { LiveSockets } from '../forward/live-sockets.js';

/** Fewer than the pool has connections: logins must not wait for this. */
const PARALLEL = 4;
const RETRY_MS = 250;

/**
 * Closes the WebSockets of sessions that have ended and of slices that are no longer the customer's: an upgrade is
 * decided once, and would otherwise outlive the decision for days.
 */
export class SocketGuard {
  private readonly logger = new Logger(SocketGuard.name);
  private readonly slots = pLimit(PARALLEL);
  private readonly stopping = new AbortController();

  constructor(
    private readonly live: LiveSockets,
    private readonly sessions: SessionStore,
    private readonly slices: SliceDirectory,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
  ) {}

  /** Resolves when every change is heard from here on. */
  async start(): Promise<void> {
    this.revocations.subscribe(({ userId, sessionHash }) => {
      if (sessionHash === null) this.live.closeUser(userId);
      else this.live.closeSession(sessionHash);
    });
    // While the bus was silent a message may have been lost.
    this.control.onRestored(() => this.recheck(this.live.sessionKeys()));
    await this.slices.onChange((ownerIds) => {
      for (const ownerId of ownerIds) this.recheck(this.live.sessionKeys(ownerId));
    });
  }

  /** Leaves off checking. */
  stop(): void {
    this.stopping.abort();
  }

  private recheck(sessionKeys: Iterable<string>): void {
    for (const sessionKey of sessionKeys) void this.slots(() => this.check(sessionKey));
  }

  /** Asks until there is an answer: a database that fails just now must not leave a socket open for good. */
  private async check(sessionKey: string): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const sliceId = await this.sliceOf(sessionKey);
        this.live.closeWhere((owner) => owner.sessionKey === sessionKey && owner.sliceId !== sliceId);
        return;
      } catch (error) {
        this.logger.warn({ err: error }, 'an open WebSocket could not be checked; it is tried again');
        await wait(RETRY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  /** The one slice that the session may have connections to; null where that is none. */
  private async sliceOf(sessionKey: string): Promise<number | null> {
    const principal = await this.sessions.find(sessionKey);
    if (principal === null) return null;
    const slice = await this.slices.locate(principal.user.id);
    return slice?.desiredState === 'running' ? slice.sliceId : null;
  }
}
