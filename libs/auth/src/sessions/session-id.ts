import { hash, randomBytes } from 'node:crypto';

/** Well over the 192 bits of the contract, and no slower. */
const SESSION_ID_BYTES = 32;
/** 32 bytes as base64url without padding (RFC 4648 §5). */
const SESSION_ID = /^[A-Za-z0-9_-]{43}$/;

/** A new session id, base64url: what the cookie holds, and nothing else ever does. */
export function newSessionId(): string {
  return randomBytes(SESSION_ID_BYTES).toString('base64url');
}

/** Whether a value has the form of {@link newSessionId}; any other names no session, which needs no look-up. */
export function isSessionId(value: string): boolean {
  return SESSION_ID.test(value);
}

/**
 * The name a session is stored, cached and revoked under: SHA-256 as base64url. Whoever reads the database, a backup
 * or a notification can't sign in with it. No salt and no stretching: the id is random already.
 */
export function hashSessionId(id: string): string {
  return hash('sha256', id, 'base64url');
}
