import { matchesPrefix } from '../http/path.js';

/** To the slice of the signed-in customer; the path is kept. */
export interface SliceRoute {
  readonly kind: 'slice';
  readonly prefix: string;
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** Where requests can go. One union, so that a new kind of target is a compile error wherever it is not handled. */
export type Route = SliceRoute;

const TIMEOUT_MS = 30_000;

/** Endpoints of our own that lie within slice paths: they win over these. */
const OWN_PREFIXES = ['/api/apikeys', '/api/gateway'] as const;

/** Which path leads where: compiled once at the start, and never changed. */
export class RouteTable {
  private constructor(
    /** Longest prefix first, so the first match is the closest one. */
    private readonly routes: readonly Route[],
    private readonly ownPaths: ReadonlySet<string>,
  ) {}

  /**
   * @param slicePaths the paths that lead to the customer's slice
   * @param ownPaths single paths among them that are ours: the callback of OIDC, which may lie anywhere
   */
  static compile(slicePaths: readonly string[], ownPaths: readonly string[] = []): RouteTable {
    const routes = slicePaths.map((prefix): Route => ({ kind: 'slice', prefix, timeoutMs: TIMEOUT_MS }));
    return new RouteTable(
      routes.toSorted((a, b) => b.prefix.length - a.prefix.length),
      new Set(ownPaths),
    );
  }

  /** The route of a path; null for what is our own. */
  match(path: string): Route | null {
    for (const prefix of OWN_PREFIXES) if (matchesPrefix(path, prefix)) return null;
    if (this.ownPaths.has(path)) return null;
    for (const route of this.routes) if (matchesPrefix(path, route.prefix)) return route;
    return null;
  }
}
