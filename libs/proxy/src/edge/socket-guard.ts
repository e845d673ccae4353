import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import pLimit from 'p-limit';
import type { ApiKeyRevocations, SessionRevocations, SessionStore } from '#auth';
import type { Clock } from '#common';
import type { ControlConnection } from '#database';
import type { SliceDirectory } from '#orchestrator';
import type { LiveSockets, SocketOwner } from '../forward/live-sockets.js';

/** Fewer than the pool has connections: logins must not wait for this. */
const PARALLEL = 4;
const RETRY_MS = 250;
/** As soon after its end as a session that is signed out loses its WebSockets. */
const SWEEP_INTERVAL_MS = 1000;

/**
 * Closes the WebSockets of sessions that were signed out or have expired, of tokens and API keys alike, and of slices
 * that are no longer the customer's: an upgrade is decided once, and would otherwise outlive the decision for days.
 */
export class SocketGuard {
  private readonly logger = new Logger(SocketGuard.name);
  private readonly slots = pLimit(PARALLEL);
  private readonly stopping = new AbortController();
  private sweeping: Promise<void> | null = null;

  constructor(
    private readonly live: LiveSockets,
    private readonly sessions: SessionStore,
    private readonly slices: SliceDirectory,
    private readonly revocations: SessionRevocations,
    private readonly apiKeys: ApiKeyRevocations,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  /** Resolves when every change is heard from here on. */
  async start(): Promise<void> {
    this.revocations.subscribe(({ userId, sessionHash, exceptHash }) => {
      if (sessionHash === null) this.live.closeUser(userId, exceptHash);
      else this.live.closeSession(sessionHash);
    });
    this.apiKeys.subscribe((id) => this.live.closeWhere((owner) => owner.apiKeyId === id));
    // While the bus was silent a message may have been lost.
    this.control.onRestored(() => {
      void this.recheck(this.live.sessionKeys());
      this.live.closeWhere(isOfBearer);
    });
    await this.slices.onChange((ownerIds) => {
      for (const ownerId of ownerIds) void this.recheck(this.live.sessionKeys(ownerId));
    });
  }

  /**
   * Looks after sessions whose end has passed: what goes over a WebSocket does not extend its session, but requests
   * beside it do, here or on another replica. A call while a sweep is under way joins it.
   */
  @Interval(SWEEP_INTERVAL_MS)
  sweep(): Promise<void> {
    this.live.closeExpired(this.clock.nowMs());
    this.sweeping ??= this.recheck(this.live.dueSessionKeys(this.clock.nowMs())).finally(() => {
      this.sweeping = null;
    });
    return this.sweeping;
  }

  /** Leaves off checking; resolves when a sweep under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.sweeping;
  }

  private async recheck(sessionKeys: Iterable<string>): Promise<void> {
    await Promise.all(Array.from(sessionKeys, (sessionKey) => this.slots(() => this.check(sessionKey))));
  }

  /** Asks until there is an answer: a database that fails just now must not leave a socket open for good. */
  private async check(sessionKey: string): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const session = await this.sessions.find(sessionKey);
        const sliceId = session === null ? null : await this.sliceOf(session.user.id);
        if (session !== null) this.live.extendSession(sessionKey, session.expiresAt);
        this.live.closeWhere(
          (owner) =>
            owner.sessionKey === sessionKey &&
            (session === null || (owner.sliceId !== null && owner.sliceId !== sliceId)),
        );
        return;
      } catch (error) {
        this.logger.warn({ err: error }, 'an open WebSocket could not be checked; it is tried again');
        await wait(RETRY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  /** The one slice that the user may have connections to; null where that is none. */
  private async sliceOf(userId: string): Promise<number | null> {
    const slice = await this.slices.locate(userId);
    return slice?.desiredState === 'running' ? slice.sliceId : null;
  }
}

/** Opened by an API key or an admin's token: what can be void without a session to look up. Their programs come back. */
function isOfBearer({ sessionKey, apiKeyId, userId }: SocketOwner): boolean {
  return sessionKey === null && (apiKeyId !== null || userId !== null);
}
