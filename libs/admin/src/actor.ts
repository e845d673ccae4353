import type { Principal } from '#auth';

/** The account that acts; null for the admin key. */
export function userOf(principal: Principal): { readonly id: string } | null {
  return 'user' in principal ? principal.user : null;
}

/** For the log: an account by its id, never by its address. */
export function nameOf(principal: Principal): string {
  const user = userOf(principal);
  return user === null ? 'the admin key' : `user ${user.id}`;
}
