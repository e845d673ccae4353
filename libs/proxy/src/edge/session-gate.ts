import { Injectable, Logger } from '@nestjs/common';
import { SessionCookie, SessionStore, theOneSession, TOUCH_INTERVAL_MS } from '#auth';
import { AuthError, Clock } from '#common';
import type { Visitor } from './visitor.js';
import { VisitorCache } from './visitor-cache.js';

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
   * The visitor, at once where the session is known here, which is the usual case.
   * @throws AuthError UNAUTHENTICATED, AMBIGUOUS_SESSION
   */
  admit(cookieHeader: string | undefined): Visitor | Promise<Visitor> {
    const hashes = this.cookie.hashesIn(cookieHeader);
    const [only] = hashes;
    if (only === undefined) throw unauthenticated();
    const known = hashes.length === 1 ? this.cache.get(only) : undefined;
    return known === undefined ? this.lookUp(hashes) : this.extended(known);
  }

  private async lookUp(hashes: readonly string[]): Promise<Visitor> {
    const visitors = await Promise.all(hashes.map((hash) => this.cache.find(hash)));
    const one = theOneSession(visitors.map((visitor) => visitor?.principal ?? null));
    const visitor = visitors.find((candidate) => candidate !== null && candidate.principal === one);
    if (visitor === null || visitor === undefined) throw unauthenticated();
    return this.extended(visitor);
  }

  /** Use keeps a session alive. Nobody waits for that, and once a minute is enough. */
  private extended(visitor: Visitor): Visitor {
    const now = this.clock.nowMs();
    if (now - visitor.touchedAt < TOUCH_INTERVAL_MS) return visitor;
    visitor.touchedAt = now;
    const hash = visitor.principal.sessionHash;
    this.sessions.touch(hash, TOUCH_INTERVAL_MS).then(
      () => this.cache.delete(hash),
      (error: unknown) => this.logger.warn({ err: error }, 'a session could not be extended'),
    );
    return visitor;
  }
}

function unauthenticated(): AuthError {
  return new AuthError('UNAUTHENTICATED', 'Sign in first: POST /auth/login, and send the session cookie.');
}
