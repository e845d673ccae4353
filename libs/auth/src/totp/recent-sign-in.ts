import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { authenticatedAtMs } from '../oidc/authentication-time.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { SessionStore } from '../sessions/session-store.js';

/** Whoever has just signed in need not do it again. */
const RECENT_MS = 10 * 60_000;

/**
 * Tells a session whose user has shown all credentials just now from one that has been lying about: a session cookie
 * alone, stolen or on a screen left unlocked, must not be enough to change how its account is signed in to (OWASP ASVS
 * 7.5.1). The same goes for a browser that is signed in at the provider: it opens a new session here, and nobody is
 * asked anything.
 */
@Injectable()
export class RecentSignIn {
  constructor(
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Whether the session was opened in the last ten minutes, extending it does not count; and one by OIDC, whether the
   * provider says that it authenticated the user in that time.
   */
  async isRecent({ sessionHash, sessionKind, user }: SessionPrincipal): Promise<boolean> {
    const all = await this.sessions.list(user.id);
    const session = all.find(({ id }) => id === sessionHash);
    if (session === undefined || !this.isJustNow(session.createdAt.getTime())) return false;
    if (sessionKind === 'password') return true;
    const tokens = await this.sessions.tokensOf(sessionHash);
    const authenticated = tokens === null ? null : authenticatedAtMs(tokens);
    return authenticated !== null && this.isJustNow(authenticated);
  }

  private isJustNow(ms: number): boolean {
    return ms > this.clock.nowMs() - RECENT_MS;
  }
}
