import type { Target } from '../targets/target.js';
import type { Upstream } from '../targets/upstream.js';

/** Requests that may be in flight at the same time; more are told to come back. */
export interface InFlightLimit {
  /** What is counted together. */
  readonly key: string;
  readonly max: number;
  /** What the client is told: of its own slice, or of a route. */
  readonly code: 'SLICE_BUSY' | 'UPSTREAM_BUSY';
}

/** The upstream that a target picked, and what is needed to ask another one instead. */
export interface Lane {
  readonly target: Target;
  readonly upstream: Upstream;
  /** Path and query, before an upstream's own path. */
  readonly path: string;
  /** Whether the `Host` header names the upstream, so that another one needs another. */
  readonly hostOfUpstream: boolean;
}

/** Where a request goes, and what holds on its way. */
export interface ForwardTarget {
  /** `http://host:port` or `https://…`, without a path. */
  readonly origin: string;
  /** Path and query as the upstream gets them; starts with `/`. */
  readonly path: string;
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the answer is compressed where the upstream did not. */
  readonly compress: boolean;
  readonly limit: InFlightLimit;
  /** Null for a slice, of which there is only one. */
  readonly lane: Lane | null;
}
