/**
 * The path of a request, read once. What is matched is what is forwarded, so that the gateway and the upstream can't
 * be made to disagree about it.
 *
 * Normalised: literal `.` and `..` segments are resolved (RFC 3986 §5.2.4).
 * Refused: NUL, control characters, `\`, `%5c`, `%00`, `#`; `..` above the root; dot segments that hide behind an
 * encoding or a path parameter (`%2e%2e`, `..%2f`, `..;`).
 * Kept, with a second reading: `%2f`, `//`, and characters that need no encoding and have one (`%61` for `a`, RFC 3986
 * §6.2.2.2). Applications use them in earnest, but some servers decode the ones and merge the others. {@link RequestPath.lenient} is how such a server reads the path; where that reading would match
 * another route, the request has to be refused ({@link isAmbiguous}).
 */
export interface RequestPath {
  /** Starts with `/`; without the query. */
  readonly path: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
  /** The path as a lenient server reads it; null where there is only one reading. */
  readonly lenient: string | null;
}

const NEEDS_A_LOOK = /[^!-~\u0080-\u00ff]|[\\#]|%(?:00|2[def]|3\d|[46][1-9a-f]|5[\dacf]|7[\dae])|\/\.|\/\//i;
/** Letters, digits, `-`, `.`, `_` and `~` (RFC 3986 §2.3). */
const UNRESERVED = /%(?:2[de]|3\d|[46][1-9a-f]|5[\daf]|7[\dae])/gi;
const FORBIDDEN = /[^!-~\u0080-\u00ff]|[\\#]|%(?:00|5c)/i;
const DOTS = /^\.{1,2}(?:;|$)/;

/** Reads an origin-form request target; null says that it must be refused. */
export function readRequestPath(target: string): RequestPath | null {
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const search = queryAt === -1 ? '' : target.slice(queryAt);
  if (path.charCodeAt(0) !== 0x2f || search.includes('#')) return null;
  if (!NEEDS_A_LOOK.test(path)) return { path, search, lenient: null };
  return normalise(path, search);
}

function normalise(path: string, search: string): RequestPath | null {
  if (FORBIDDEN.test(path)) return null;
  const resolved = resolveDots(path);
  if (resolved === null) return null;
  const lenient = resolved
    .replaceAll(/%2f/gi, '/')
    .replaceAll(/\/{2,}/g, '/')
    .replaceAll(UNRESERVED, decodeURIComponent);
  // Every dot segment is gone by now, so one that is left was hidden from us and not from a lenient server.
  if (lenient.split('/').some((segment) => DOTS.test(decodeDots(segment)))) return null;
  return { path: resolved, search, lenient: lenient === resolved ? null : lenient };
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

function decodeDots(segment: string): string {
  return segment.replaceAll(/%2e/gi, '.');
}

/** Whether a path lies at or under a prefix, on segment boundaries: `/api` holds `/api/x` and not `/apix`. */
export function matchesPrefix(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith('/') || path.charCodeAt(prefix.length) === 0x2f;
}

/**
 * Whether a server that merges slashes or decodes `%2f` would take another route than we do: such a request could
 * pass the policy of one route and reach another.
 * @param routeOf the route that a path matches; compared by identity
 */
export function isAmbiguous(request: RequestPath, routeOf: (path: string) => unknown): boolean {
  return request.lenient !== null && routeOf(request.path) !== routeOf(request.lenient);
}
