import type { UserRole } from '#database';

/** The signed-in user as everybody else sees them: no password hash, nothing that is only the account's own. */
export interface PrincipalUser {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: UserRole;
}

/** Somebody signed in with a session cookie. */
export interface SessionPrincipal {
  readonly kind: 'session';
  /** The stored name of the session ({@link hashSessionId}); the id itself is only ever in the cookie. */
  readonly sessionHash: string;
  readonly expiresAt: Date;
  /** When the session was opened or last extended. */
  readonly lastSeenAt: Date;
  readonly user: PrincipalUser;
}

/** The holder of `ADMIN_KEY`: the operator, or Terraform in the operator's name. */
export interface AdminKeyPrincipal {
  readonly kind: 'adminKey';
}

/**
 * Who is calling. Every credential becomes exactly one member; a request with none of them has no principal, which
 * means refusal wherever access is not declared public. A `switch` over `kind` ends in `assertNever`, so that a new
 * member (API key, gateway token) is a compile error wherever it was not thought of.
 */
export type Principal = SessionPrincipal | AdminKeyPrincipal;
