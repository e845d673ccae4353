import { Injectable, StreamableFile } from '@nestjs/common';
import pLimit from 'p-limit';
import { Authenticator, type CredentialHeaders, type Principal, SessionRevocations } from '#auth';
import { AuthError, Clock, OpenStreams } from '#common';
import { ControlConnection } from '#database';
import { userOf } from '../actor.js';
import { EventStream, type ServerSentEvent } from './event-stream.js';
import { endsAccessOf, isStill } from './follower-access.js';

/** A browser comes again by itself, and shows its credential anew. */
const LONGEST_MS = 3_600_000;
/** Fewer than the pool has connections: logins must not wait for this. */
const PARALLEL = 4;

/** Who follows: as the guard knew them, and what they showed it. */
export interface Follower {
  readonly principal: Principal;
  readonly headers: CredentialHeaders;
}

/** Opens streams of events for operators, and ends them with the access of whoever follows. */
@Injectable()
export class EventStreams {
  private readonly slots = pLimit(PARALLEL);

  constructor(
    private readonly streams: OpenStreams,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws CoreError RATE_LIMITED, SHUTTING_DOWN
   * @throws AuthError UNAUTHENTICATED when the access has ended since the guard looked
   */
  async open(
    follower: Follower,
    source: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  ): Promise<StreamableFile> {
    const ending = this.streams.begin();
    try {
      this.endWithAccess(follower, ending);
      await this.checkAgain(follower);
      return new StreamableFile(new EventStream(source, ending), {
        type: 'text/event-stream; charset=utf-8',
      });
    } catch (error) {
      ending.abort();
      throw error;
    }
  }

  private endWithAccess(follower: Follower, ending: AbortController): void {
    const { principal } = follower;
    const end = (): void => ending.abort();
    const unsubscribe = [
      this.revocations.subscribe((revocation) => {
        if (endsAccessOf(principal, revocation)) end();
      }),
      // While the bus was silent a message may have been lost. Where nobody can tell, who still may comes again.
      this.control.onRestored(() => {
        void this.slots(() => this.checkAgain(follower)).catch(end);
      }),
    ];
    const timer = setTimeout(end, this.termOf(principal)).unref();
    ending.signal.addEventListener(
      'abort',
      () => {
        for (const each of unsubscribe) each();
        clearTimeout(timer);
      },
      { once: true },
    );
  }

  /**
   * Looks once more: what was revoked before we listened was told to nobody here.
   * @throws AuthError UNAUTHENTICATED, AMBIGUOUS_SESSION
   */
  private async checkAgain({ principal, headers }: Follower): Promise<void> {
    if (userOf(principal) === null) return;
    const now = await this.authenticator.authenticate(headers);
    if (now !== null && isStill(principal, now)) return;
    throw new AuthError(
      'UNAUTHENTICATED',
      'You are not signed in, or your session has ended. Please sign in.',
    );
  }

  private termOf(by: Principal): number {
    const expiresAt = 'expiresAt' in by ? (by.expiresAt?.getTime() ?? Infinity) : Infinity;
    return Math.max(0, Math.min(LONGEST_MS, expiresAt - this.clock.nowMs()));
  }
}
