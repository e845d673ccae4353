import { Injectable, StreamableFile } from '@nestjs/common';
import { type Principal, type SessionRevocation, SessionRevocations } from '#auth';
import { Clock, OpenStreams } from '#common';
import { userOf } from '../actor.js';
import { EventStream, type ServerSentEvent } from './event-stream.js';

/** A browser comes again by itself, and shows its credential anew. */
const LONGEST_MS = 3_600_000;

/** Opens streams of events for operators, and ends them with the access of whoever follows. */
@Injectable()
export class EventStreams {
  constructor(
    private readonly streams: OpenStreams,
    private readonly revocations: SessionRevocations,
    private readonly clock: Clock,
  ) {}

  /** @throws CoreError RATE_LIMITED, SHUTTING_DOWN */
  open(by: Principal, source: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>): StreamableFile {
    const ending = this.streams.begin();
    const end = (): void => ending.abort();
    const unsubscribe = this.revocations.subscribe((revocation) => {
      if (concerns(revocation, by)) end();
    });
    const timer = setTimeout(end, this.termOf(by)).unref();
    ending.signal.addEventListener(
      'abort',
      () => {
        unsubscribe();
        clearTimeout(timer);
      },
      { once: true },
    );
    return new StreamableFile(new EventStream(source, ending), { type: 'text/event-stream; charset=utf-8' });
  }

  private termOf(by: Principal): number {
    const expiresAt = 'expiresAt' in by ? (by.expiresAt?.getTime() ?? Infinity) : Infinity;
    return Math.max(0, Math.min(LONGEST_MS, expiresAt - this.clock.nowMs()));
  }
}

function concerns({ userId, sessionHash, exceptHash }: SessionRevocation, by: Principal): boolean {
  if (userOf(by)?.id !== userId) return false;
  // All access of the account, its gateway tokens too, unless this very session goes on.
  if (sessionHash === null) return by.kind !== 'session' || by.sessionHash !== exceptHash;
  return by.kind === 'session' && by.sessionHash === sessionHash;
}
