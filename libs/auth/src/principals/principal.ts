import { assertNever } from '#common';
import type { SessionKind, UserRole } from '#database';

/** The signed-in user as everybody else sees them: no password hash, nothing that is only the account's own. */
export interface PrincipalUser {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: UserRole;
  readonly emailVerified: boolean;
  /** Whether the account has two factors. */
  readonly totpEnabled: boolean;
}

/** Somebody signed in with a session cookie. */
export interface SessionPrincipal {
  readonly kind: 'session';
  /** The stored name of the session ({@link hashSessionId}); the id itself is only ever in the cookie. */
  readonly sessionHash: string;
  readonly expiresAt: Date;
  /** When the session was opened or last extended. */
  readonly lastSeenAt: Date;
  /** What slices and services know the user by: the provider's `sub` of a session by OIDC, else the account's id. */
  readonly subject: string;
  readonly sessionKind: SessionKind;
  readonly user: PrincipalUser;
}

/** The holder of `ADMIN_KEY`: the operator, or Terraform in the operator's name. */
export interface AdminKeyPrincipal {
  readonly kind: 'adminKey';
}

/** A worker with an API key. */
export interface ApiKeyPrincipal {
  readonly kind: 'apiKey';
  readonly id: string;
  readonly name: string;
  readonly workerType: string;
  /** `METHOD /path*` each; null: whatever a key may call. */
  readonly scopes: readonly string[] | null;
  /** Null: good until it is revoked. */
  readonly expiresAt: Date | null;
}

/** The bearer of a gateway token. */
export interface TokenPrincipal {
  readonly kind: 'token';
  /** Claim `projectId`: the admin's address, or `guest`. */
  readonly projectId: string;
  readonly route: string;
  readonly scopes: readonly string[];
  /** The admin whose token it is; null for a guest. */
  readonly user: PrincipalUser | null;
  readonly expiresAt: Date;
}

/** The account behind a credential; null for the operator's key, workers and guests. */
export function userOf(principal: Principal): PrincipalUser | null {
  switch (principal.kind) {
    case 'session':
    case 'token':
      return principal.user;
    case 'adminKey':
    case 'apiKey':
      return null;
    default:
      return assertNever(principal);
  }
}

/**
 * Who is calling. Every credential becomes exactly one member; a request with none of them has no principal, which
 * means refusal wherever access is not declared public. A `switch` over `kind` ends in `assertNever`, so that a new
 * member is a compile error wherever it was not thought of.
 */
export type Principal = SessionPrincipal | AdminKeyPrincipal | ApiKeyPrincipal | TokenPrincipal;
