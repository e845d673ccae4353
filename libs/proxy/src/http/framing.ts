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

/**
 * Whether it is beyond doubt where a request ends. Where it is not, it is refused, and nothing behind it on its
 * connection may be taken for a request (RFC 9112 §6.1, §11.2).
 */
export function hasSureEnd({ httpVersion, headers }: IncomingMessage): boolean {
  const transferEncoding = headers['transfer-encoding'];
  if (transferEncoding === undefined) return httpVersion === '1.1' || httpVersion === '1.0';
  return (
    httpVersion === '1.1' && isExactlyChunked(transferEncoding) && headers['content-length'] === undefined
  );
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
