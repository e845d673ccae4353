import type { Principal } from '#auth';

/** Who did it, for the log: an account by its id, never by its address. */
export function nameOf(principal: Principal): string {
  return 'user' in principal && principal.user !== null ? `user ${principal.user.id}` : 'the admin key';
}
