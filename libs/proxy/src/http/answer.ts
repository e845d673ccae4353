import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { CHALLENGE, errorBody, rateLimitHeaders, requestIdOf, type DomainError } from '#common';
import { addRenewedCookie } from '../headers/renewed-cookie.js';
import { bodyIsPending } from './framing.js';
import { lingerAfterResponse } from './lingering-close.js';
import { SECURITY_HEADERS_FLAT } from './security-headers.js';

/**
 * Writes an error as the contract's body. Never throws: where the answer has begun already, or can't be written, the
 * connection is cut, so that the client sees a truncated answer and not a complete wrong one.
 */
export function answerError(req: IncomingMessage, res: ServerResponse, error: DomainError, now: Date): void {
  try {
    if (res.headersSent) {
      cut(req);
      return;
    }
    const id = requestIdOf(req);
    const body = errorBody(error, id, now);
    const json = Buffer.from(JSON.stringify(body));
    const headers = [...SECURITY_HEADERS_FLAT, 'X-Request-Id', id, 'Cache-Control', 'no-store'];
    headers.push('Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(json.length));
    if (error.retryAfterSeconds !== undefined) headers.push('Retry-After', String(error.retryAfterSeconds));
    if (body.status === 401) headers.push('WWW-Authenticate', CHALLENGE);
    if (error.rateLimit !== undefined)
      headers.push(...Object.entries(rateLimitHeaders(error.rateLimit)).flat());
    addRenewedCookie(headers, req);
    closeIfBodyIsPending(req, res);
    res.writeHead(body.status, headers).end(req.method === 'HEAD' ? undefined : json);
  } catch {
    req.socket.destroy();
  }
}

/** To HTTP/1.0 the end of a connection is the end of an answer, and a whole one: only a reset says that it is not. */
function cut({ httpVersion, socket }: IncomingMessage): void {
  if (httpVersion === '1.0') socket.resetAndDestroy();
  else socket.destroy();
}

/** The gateway's own answer to an OPTIONS request that no upstream is meant to see. */
export function answerOptions(req: IncomingMessage, res: ServerResponse): void {
  answerEmpty(req, res, { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' });
}

/** An answer of the gateway's own without a body, 204. */
export function answerEmpty(
  req: IncomingMessage,
  res: ServerResponse,
  headers: Record<string, string>,
): void {
  closeIfBodyIsPending(req, res);
  const lines = Object.entries(headers).flat();
  res.writeHead(204, [...SECURITY_HEADERS_FLAT, 'X-Request-Id', requestIdOf(req), ...lines]).end();
}

/**
 * Answers an upgrade by an HTTP error and closes: a real status and the error body, so that a client's developer
 * sees why instead of a mere broken connection.
 */
export function refuseUpgrade(req: IncomingMessage, socket: Duplex, error: DomainError, now: Date): void {
  socket.on('error', () => socket.destroy());
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  // What the client sent ahead is dropped: left unread, it would turn the close into a reset.
  socket.resume();
  answerOnBareSocket(req, error, now);
}

/**
 * Answers on a connection that has no response of its own: an upgrade, or bytes that are no request at all. A socket
 * that is still busy with an earlier, pipelined answer is cut instead, since two answers must not mix.
 */
export function answerOnBareSocket(req: IncomingMessage, error: DomainError, now: Date): void {
  const { socket } = req;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  try {
    res.assignSocket(socket);
  } catch {
    socket.destroy();
    return;
  }
  res.on('finish', () => socket.destroySoon());
  answerError(req, res, error, now);
}

/**
 * After an answer that came before the end of the request's body, the connection can't be used again: where the next
 * request begins is known only once the rest has been read.
 */
export function closeIfBodyIsPending(req: IncomingMessage, res: ServerResponse): void {
  if (!bodyIsPending(req)) return;
  res.shouldKeepAlive = false;
  lingerAfterResponse(req);
}
