import type { SessionPrincipal } from '../principals/principal.js';

export interface NewSession {
  /** {@link hashSessionId} of the id in the cookie. */
  readonly hash: string;
  readonly userId: string;
  /** Where it was opened from, for the list of one's devices. */
  readonly ip: string;
  readonly userAgent: string | null;
}

/** Proxied requests extend their session at the most once in this time, so that traffic does not become writes. */
export const TOUCH_INTERVAL_MS = 60_000;

/**
 * Port: where sessions are kept. Sessions roll: each touch gives another whole `SESSION_TTL_DAYS`. No method takes
 * or gives a session id, only hashes. Every one throws what its driver throws when the store can't be reached;
 * a caller must not take that for "no session".
 */
export abstract class SessionStore {
  /** Opens a session, which begins now. */
  abstract create(session: NewSession): Promise<void>;

  /** The session with its user as the user is now; null when it is unknown, expired, or its user is disabled. */
  abstract find(hash: string): Promise<SessionPrincipal | null>;

  /**
   * Extends a session by a whole term, unless that was done less than `atMostEveryMs` ago.
   * @returns whether the session is still there
   */
  abstract touch(hash: string, atMostEveryMs?: number): Promise<boolean>;

  /**
   * Ends one session. When this resolves the session is gone and every replica was told ({@link SessionRevocations});
   * otherwise it throws, and may be repeated.
   */
  abstract revoke(hash: string): Promise<void>;

  /** Ends every session of a user, with the same promise as {@link revoke}. */
  abstract revokeAll(userId: string): Promise<void>;

  /**
   * Deletes what has expired.
   * @returns how many sessions that were
   */
  abstract sweep(): Promise<number>;
}
