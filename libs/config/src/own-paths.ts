/** First segments of Sluice's own endpoints. */
const OWN_SEGMENTS: ReadonlySet<string> = new Set([
  'account',
  'admin',
  'auth',
  'billing',
  'console',
  'health',
  'healthz',
  'heartbeat',
  'info',
  'metrics',
  'orchestrator',
  'whoami',
]);

/** They lie within a path that is usually the slices', and win over it. */
const OWN_API = /^\/api\/(?:apikeys|gateway)(?:\/|$)/;

/**
 * Whether a path lies where Sluice's own endpoints do: no route, and no file, can take its place.
 * @param path normalised, without the query
 */
export function isOwnPath(path: string): boolean {
  const end = path.indexOf('/', 1);
  const segment = end === -1 ? path.slice(1) : path.slice(1, end);
  return OWN_SEGMENTS.has(segment) || (segment === 'api' && OWN_API.test(path));
}
