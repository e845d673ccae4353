import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import type { SessionPrincipal } from '../principals/principal.js';
import { SessionStore } from '../sessions/session-store.js';

/** Whoever has just signed in need not do it again. */
const RECENT_MS = 10 * 60_000;

/**
 * Tells a session that was opened just now, with all its credentials, from one that has been lying about: a session
 * cookie alone, stolen or on a screen left unlocked, must not be enough to change how its account is signed in to
 * (OWASP ASVS 7.5.1).
 */
@Injectable()
export class RecentSignIn {
  constructor(
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
  ) {}

  /** Whether the session was opened in the last ten minutes; extending it does not count. */
  async isRecent({ sessionHash, user }: SessionPrincipal): Promise<boolean> {
    const all = await this.sessions.list(user.id);
    const session = all.find(({ id }) => id === sessionHash);
    return session !== undefined && session.createdAt.getTime() > this.clock.nowMs() - RECENT_MS;
  }
}
