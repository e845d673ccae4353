/** What went wrong between the gateway and an upstream. */
export type UpstreamFaultCode =
  /** No connection within the time for it. */
  | 'UPSTREAM_CONNECT_TIMEOUT'
  /** The head of the answer did not arrive in time. */
  | 'UPSTREAM_HEAD_TIMEOUT'
  /** The connection ended before the answer did. */
  | 'UPSTREAM_CLOSED'
  /** So did one that had served before, without a byte of this answer: the request was read by nobody, or by whoever went then. */
  | 'UPSTREAM_STALE'
  /** What came is no answer of HTTP/1.1, or leaves room for doubt where it ends. */
  | 'UPSTREAM_BROKE_HTTP'
  /** The request can't be written down safely: that is its own fault, and nothing was sent. */
  | 'UPSTREAM_NOT_SENDABLE';

/** A failure of an upstream, or of the way to it; the system's own errors (`ECONNREFUSED` …) stand beside these. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';

  constructor(
    readonly code: UpstreamFaultCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** What came leaves room for doubt, or is no HTTP/1.1 at all. */
export function brokenHttp(message: string): UpstreamFault {
  return new UpstreamFault('UPSTREAM_BROKE_HTTP', message);
}
