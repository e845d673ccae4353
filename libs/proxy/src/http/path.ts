/**
 * The path of a request, read once. What is matched is what is forwarded, so that the gateway and the upstream can't
 * be made to disagree about it.
 *
 * Normalised: literal `.` and `..` segments are resolved (RFC 3986 §5.2.4).
 * Refused: NUL, control characters, `\`, `%5c`, `%00`, `#`; `..` above the root; dot segments that hide behind an
 * encoding or a path parameter (`%2e%2e`, `..%2f`, `..;`).
 * Kept, with other readings: encoded characters (`%2f`, `%61` for `a`), `//`, and path parameters (`;x`). Applications
 * use them in earnest, but some servers decode the first before they look for a resource, merge the second and drop the
 * third. Where such a reading would match another route, the request has to be refused ({@link isAmbiguous}).
 */
export interface RequestPath {
  /** Starts with `/`; without the query. */
  readonly path: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
  /** The path as more lenient servers read it, where that is another one; mostly empty. */
  readonly readings: readonly string[];
}

const ONE_READING: readonly string[] = [];

const NEEDS_A_LOOK = /[^!-~\u0080-\u00ff]|[\\#;]|%(?:00|2[1-9a-f]|[3-6][\da-f]|7[\da-e])|\/\.|\/\//i;
/** Every character that can stand in a path as it is, and `/` itself; those that can't are in no route. */
const DECODABLE = /%(?:2[1-9a-f]|[3-6][\da-f]|7[\da-e])/gi;
const FORBIDDEN = /[^!-~\u0080-\u00ff]|[\\#]|%(?:00|5c)/i;
const PARAMETERS = /;[^/]*/g;
const DOTS = /^\.{1,2}(?:;|$)/;

/** Reads an origin-form request target; null says that it must be refused. */
export function readRequestPath(target: string): RequestPath | null {
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const search = queryAt === -1 ? '' : target.slice(queryAt);
  if (path.charCodeAt(0) !== 0x2f || search.includes('#')) return null;
  if (!NEEDS_A_LOOK.test(path)) return { path, search, readings: ONE_READING };
  return normalise(path, search);
}

function normalise(path: string, search: string): RequestPath | null {
  if (FORBIDDEN.test(path)) return null;
  const resolved = resolveDots(path);
  if (resolved === null) return null;
  const decoded = merged(resolved.replaceAll(DECODABLE, decodeURIComponent));
  // Every dot segment is gone by now, so one that is left was hidden from us and not from a lenient server.
  if (decoded.split('/').some((segment) => DOTS.test(segment))) return null;
  const withoutParameters = merged(decoded.replaceAll(PARAMETERS, ''));
  const readings = new Set([decoded, withoutParameters]);
  readings.delete(resolved);
  return { path: resolved, search, readings: readings.size === 0 ? ONE_READING : [...readings] };
}

function merged(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/');
}

function resolveDots(path: string): string | null {
  const out: string[] = [];
  const segments = path.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? '';
    const last = i === segments.length - 1;
    if (segment === '..') {
      if (out.pop() === undefined) return null;
    } else if (segment !== '.') {
      out.push(segment);
      continue;
    }
    if (last) out.push('');
  }
  return `/${out.join('/')}`;
}

/** Whether a path lies at or under a prefix, on segment boundaries: `/api` holds `/api/x` and not `/apix`. */
export function matchesPrefix(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith('/') || path.charCodeAt(prefix.length) === 0x2f;
}

/**
 * Whether a more lenient server would take another route than we do: such a request could pass the policy of one route
 * and reach what is behind another.
 * @param routeOf the route that a path matches; compared by identity
 */
export function isAmbiguous(request: RequestPath, routeOf: (path: string) => unknown): boolean {
  if (request.readings.length === 0) return false;
  const route = routeOf(request.path);
  return request.readings.some((reading) => routeOf(reading) !== route);
}
