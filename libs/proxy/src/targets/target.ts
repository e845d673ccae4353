import type { ProxyError } from '#common';
import type { Upstream } from './upstream.js';

/**
 * What became of a request at an upstream, as far as it says something of the upstream's health. That a client went
 * away says nothing.
 */
export type UpstreamOutcome =
  /** An answer began, whatever its status. */
  | 'answered'
  /** No connection came to be. */
  | 'unreachable'
  /** The connection broke before an answer began, or the answer was no HTTP. */
  | 'broken'
  /** No answer began in time. */
  | 'timed-out';

/** Where the requests of a route go. Long-lived: it is compiled with the route table, or outlives it. */
export interface Target {
  /** The upstream for the next request, or what to tell its client. */
  pick(): Upstream | ProxyError;
  /** Another upstream for a request that failed at this one, and that may be sent again; null where there is none. */
  another(failed: Upstream): Upstream | null;
  report(upstream: Upstream, outcome: UpstreamOutcome): void;
}
