import type { RoutePolicy } from '#config';
import type { Target } from '../targets/target.js';

/** What a route came from, in the order of the decision. */
export type RouteSource = 'health' | 'worker' | 'route' | 'service' | 'mapping' | 'default';

/** What the upstream gets of the path. */
export type PathRewrite =
  | { readonly kind: 'preserve' }
  /** Without so many of its first characters. */
  | { readonly kind: 'strip'; readonly length: number }
  | { readonly kind: 'replace'; readonly path: string };

/** To a target that config.yml names. */
export interface UpstreamRoute {
  readonly kind: 'upstream';
  readonly source: RouteSource;
  /** Names it in logs, limits and explanations; unique within its source. */
  readonly id: string;
  readonly policy: RoutePolicy;
  /**
   * Names what is counted of the route, its requests in flight and its clients', across changes of config.yml. A mapping
   * has no name of its own there, and is known by what it matches.
   */
  readonly countedAs: string;
  readonly target: Target;
  readonly rewrite: PathRewrite;
  /** Where it leads, for a person: an URL, or the name of a pool. */
  readonly to: string;
  /** What of config.yml it comes from, for a person: `path /build on build.example.com`. */
  readonly rule: string;
  /** Worker types that may come here; null: any principal of `policy.auth`. */
  readonly workerTypes: readonly string[] | null;
}

/** To the slice of the signed-in customer; the path is kept. */
export interface SliceRoute {
  readonly kind: 'slice';
  readonly prefix: string;
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Where customers without a slice go; null: nowhere. */
  readonly withoutSlice: UpstreamRoute | null;
}

/** Where requests can go. One union, so that a new kind of target is a compile error wherever it is not handled. */
export type Route = SliceRoute | UpstreamRoute;

/** The path that the upstream of a route gets, before the path of its own URL. */
export function rewritten(path: string, rewrite: PathRewrite): string {
  switch (rewrite.kind) {
    case 'preserve':
      return path;
    case 'strip':
      return path.length === rewrite.length ? '/' : path.slice(rewrite.length);
    case 'replace':
      return rewrite.path;
    default:
      return rewrite satisfies never;
  }
}
