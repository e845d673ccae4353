import type { IncomingMessage } from 'node:http';

/**
 * Whether a request carries a body. Only the framing headers say so, never the method: GET with a body and POST
 * without one are both legal (RFC 9112 §6.3).
 */
export function hasBody(req: IncomingMessage): boolean {
  const { headers } = req;
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

/** Whether a body is announced of which the end has not arrived yet. */
export function bodyIsPending(req: IncomingMessage): boolean {
  return !req.complete && hasBody(req);
}

/**
 * Whether a `Transfer-Encoding` is the only one that is spoken here. Any other list of codings is where two parsers
 * begin to disagree about the end of a message, which is what request and response smuggling live on.
 */
export function isExactlyChunked(transferEncoding: string | readonly string[]): boolean {
  return typeof transferEncoding === 'string' && transferEncoding.toLowerCase() === 'chunked';
}
