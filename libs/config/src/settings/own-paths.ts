import { isOwnPath } from '../own-paths.js';

/*
 * Paths of Sluice's own endpoints. In any case of letters: Express does not tell them apart, so that a route called
 * /Admin would take requests that reach /admin where it is not there.
 */

/** Whether a path lies where Sluice's own endpoints are. */
export function isOwnInAnyCase(path: string): boolean {
  return isOwnPath(path.toLowerCase());
}

/** Whether it is where workers may have paths, though it is Sluice's own; the statistics are there too, for admins. */
export function isOwnWorkerPath(path: string): boolean {
  const lower = path.toLowerCase();
  return lower.startsWith('/api/gateway/') && !/^\/api\/gateway\/stats(?:\/|$)/.test(lower);
}

/** Whether it is where the provider of OIDC sends browsers back to, which may be anywhere, or below that. */
export function isOidcCallback(path: string, callback: string): boolean {
  return path === callback || path.startsWith(`${callback}/`);
}
