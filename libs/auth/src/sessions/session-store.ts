import type { EntityManager } from 'typeorm';
import type { SessionKind } from '#database';
import type { SessionPrincipal } from '../principals/principal.js';
import type { ProviderTokens } from './provider-tokens.js';

export interface NewSession {
  /** {@link hashSessionId} of the id in the cookie. */
  readonly hash: string;
  readonly userId: string;
  /** How it was opened; its term comes from that. */
  readonly kind: SessionKind;
  /** The provider's name for the user (claim `sub`); null for a session opened by password. */
  readonly subject: string | null;
  /** The provider's tokens; null for a session opened by password. */
  readonly tokens: ProviderTokens | null;
  /** Where it was opened from, for the list of one's devices. */
  readonly ip: string;
  readonly userAgent: string | null;
}

/** A session as its user sees it in the list of their devices. */
export interface SessionSummary {
  /** Its hash, which signs nobody in. */
  readonly id: string;
  readonly kind: SessionKind;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** Proxied requests extend their session at the most once in this time, so that traffic does not become writes. */
export const TOUCH_INTERVAL_MS = 60_000;

/** Of a user agent that much is kept; a header may be 16 KB. */
export const MAX_USER_AGENT = 512;

/**
 * Port: where sessions are kept. Sessions roll: each touch gives another whole term, which the kind of the session
 * decides. No method takes or gives a session id, only hashes. Every one throws what its driver throws when the store
 * can't be reached; a caller must not take that for "no session".
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

  /** The live sessions of a user, the one used last first. */
  abstract list(userId: string): Promise<SessionSummary[]>;

  /**
   * The provider's tokens of a live session; null when it has none, or is none.
   * @throws Error when they can't be opened: SECRET_KEY is another one than they were sealed under
   */
  abstract tokensOf(hash: string): Promise<ProviderTokens | null>;

  /**
   * Keeps other tokens for a session.
   * @returns false when the session is gone; then nothing is kept
   */
  abstract replaceTokens(hash: string, tokens: ProviderTokens): Promise<boolean>;

  /**
   * Ends one session. When this resolves the session is gone and every replica was told ({@link SessionRevocations});
   * otherwise it throws, and may be repeated.
   */
  abstract revoke(hash: string): Promise<void>;

  /**
   * Ends every session of a user, with the same promise as {@link revoke}.
   * @param within a transaction of PostgreSQL that this belongs to: the replicas are told when it commits, and the
   * caller tells this process after that ({@link SessionRevocations.deliver})
   */
  abstract revokeAll(userId: string, within?: EntityManager): Promise<void>;

  /** Ends every session of a user but one; otherwise as {@link revokeAll}. */
  abstract revokeOthers(userId: string, exceptHash: string, within?: EntityManager): Promise<void>;

  /**
   * Deletes what has expired.
   * @returns how many sessions that were
   */
  abstract sweep(): Promise<number>;
}
