import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const REQUEST_ID = Symbol('sluice.requestId');
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,128}$/;

type WithRequestId = IncomingMessage & { [REQUEST_ID]?: string };

/**
 * Names the request. A caller's own `X-Request-Id` is kept only from a trusted peer, and only when it is harmless in
 * a log line and a header: a stranger could otherwise choose ids that collide with, or forge, someone else's lines.
 */
export function assignRequestId(request: IncomingMessage, trustedPeer: boolean): string {
  const offered = request.headers['x-request-id'];
  const id = trustedPeer && typeof offered === 'string' && ACCEPTABLE.test(offered) ? offered : randomUUID();
  (request as WithRequestId)[REQUEST_ID] = id;
  return id;
}

/** The id given by {@link assignRequestId}; one is made for a request that never met the edge. */
export function requestIdOf(request: IncomingMessage): string {
  return (request as WithRequestId)[REQUEST_ID] ?? assignRequestId(request, false);
}
