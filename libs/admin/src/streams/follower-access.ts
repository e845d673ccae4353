import type { Principal, SessionRevocation } from '#auth';
import { userOf } from '../actor.js';

/** Whether this revocation ends the access of who follows. */
export function endsAccessOf(
  principal: Principal,
  { userId, sessionHash, exceptHash }: SessionRevocation,
): boolean {
  if (userOf(principal)?.id !== userId) return false;
  // All access of the account, its gateway tokens too, unless this very session goes on.
  if (sessionHash === null) return principal.kind !== 'session' || principal.sessionHash !== exceptHash;
  return principal.kind === 'session' && principal.sessionHash === sessionHash;
}

/** Whether the same credential still is an admin's. */
export function isStill(principal: Principal, now: Principal): boolean {
  if (principal.kind !== now.kind || !('user' in now) || now.user?.role !== 'admin') return false;
  if (now.user.id !== userOf(principal)?.id) return false;
  return (
    now.kind !== 'session' || (principal.kind === 'session' && now.sessionHash === principal.sessionHash)
  );
}
