import { Injectable, Logger } from '@nestjs/common';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { SessionCookie, SessionStore, theOneSession, TOUCH_INTERVAL_MS } from '#auth';
import { AuthError, Clock } from '#common';
import { renewCookie } from '../headers/renewed-cookie.js';
import { SessionRenewal } from './session-renewal.js';
import type { Visitor } from './visitor.js';
import { VisitorCache } from './visitor-cache.js';

/** A `Cookie` header, and what it presents as its session. */
interface Presented {
  readonly cookie: string | undefined;
  readonly hashes: readonly (string | null)[];
}

const PRESENTED = Symbol('sluice.presentedSessions');

type PresentingRequest = IncomingMessage & { socket: { [PRESENTED]?: Presented } };

/** Finds out who sends a request on a slice path. There only the session counts: `Authorization` is the app's. */
@Injectable()
export class SessionGate {
  private readonly logger = new Logger(SessionGate.name);

  constructor(
    private readonly cookie: SessionCookie,
    private readonly cache: VisitorCache,
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets the visitor in, at once where the session is known here, which is the usual case. Whatever `admitted` does
   * before it returns is heard of by the next revocation: nothing comes between the last check and its call.
   * @throws AuthError UNAUTHENTICATED, AMBIGUOUS_SESSION
   */
  admit(req: IncomingMessage, admitted: (visitor: Visitor) => void): void | Promise<void> {
    const hashes = this.presentedBy(req);
    const [only] = hashes;
    if (only === undefined) throw unauthenticated();
    const known = hashes.length === 1 && only !== null ? this.cache.get(only) : undefined;
    if (known === undefined) return this.lookUp(hashes, admitted);
    admitted(known);
  }

  /** Whether a request shows anything that could be a session. */
  presentsAny(req: IncomingMessage): boolean {
    return this.presentedBy(req).length > 0;
  }

  /**
   * As {@link admit}, where a session is welcome and not needed: whoever has none any more, because it is over or its
   * provider ended it just now, is somebody without one.
   * @throws AuthError AMBIGUOUS_SESSION
   */
  async admitOr(
    req: IncomingMessage,
    admitted: (visitor: Visitor) => void,
    withoutSession: () => void,
  ): Promise<void> {
    let found = false;
    try {
      await this.admit(req, (visitor) => {
        found = true;
        admitted(visitor);
      });
    } catch (error) {
      if (found || !isOver(error)) throw error;
      withoutSession();
    }
  }

  /**
   * Use keeps a session alive: in the store, and by the answer to this request in the browser. Nobody waits for that,
   * and once a minute is enough. While the bus is silent it is left to a later request: the cookie could not be given.
   * @param visitor as admitted just now
   * @param answer closes when nothing more can be answered
   */
  keepAlive(req: IncomingMessage, visitor: Visitor, answer: EventEmitter): void {
    const now = this.clock.nowMs();
    if (now - visitor.touchedAt < TOUCH_INTERVAL_MS || !this.cache.hearsChanges) return;
    visitor.touchedAt = now;
    const { sessionHash, sessionKind } = visitor.principal;
    const setCookie = this.cookie.renew(req.headers.cookie, sessionHash, sessionKind);
    const renewal = new SessionRenewal(this.cache, visitor, setCookie);
    renewCookie(req, renewal);
    answer.once('close', () => renewal.end());
    void this.extend(sessionHash, renewal);
  }

  /** A connection mostly brings one browser's requests, all with the same cookies: those are read once. */
  private presentedBy({ headers: { cookie }, socket }: PresentingRequest): Presented['hashes'] {
    const last = socket[PRESENTED];
    if (last !== undefined && last.cookie === cookie) return last.hashes;
    const hashes = this.cookie.hashesIn(cookie);
    socket[PRESENTED] = { cookie, hashes };
    return hashes;
  }

  /** Anew when a revocation came between the look-up that found the visitor and the end of the last one. */
  private async lookUp(hashes: Presented['hashes'], admitted: (visitor: Visitor) => void): Promise<void> {
    for (;;) {
      using changes = this.cache.watch();
      const visitor = await this.theOneAmong(hashes);
      if (changes.concerns(visitor)) continue;
      admitted(visitor);
      return;
    }
  }

  /** One look-up after the other: one request must not take several connections of the pool at once. */
  private async theOneAmong(hashes: Presented['hashes']): Promise<Visitor> {
    const visitors: (Visitor | null)[] = [];
    for (const hash of hashes) visitors.push(hash === null ? null : await this.cache.find(hash));
    const one = theOneSession(visitors.map((visitor) => visitor?.principal ?? null));
    const visitor = visitors.find((candidate) => candidate !== null && candidate.principal === one);
    if (visitor === null || visitor === undefined) throw unauthenticated();
    return visitor;
  }

  private async extend(hash: string, renewal: SessionRenewal): Promise<void> {
    try {
      const stillThere = await this.sessions.touch(hash, TOUCH_INTERVAL_MS);
      if (!stillThere) renewal.end();
      this.cache.delete(hash);
    } catch (error) {
      renewal.end();
      this.logger.warn({ err: error }, 'a session could not be extended');
    }
  }
}

function isOver(error: unknown): boolean {
  return error instanceof AuthError && (error.code === 'UNAUTHENTICATED' || error.code === 'SESSION_EXPIRED');
}

function unauthenticated(): AuthError {
  return new AuthError('UNAUTHENTICATED', 'Sign in first: POST /auth/login, and send the session cookie.');
}
