import type { IncomingMessage } from 'node:http';
import { ProxyError } from '#common';
import { hasBody, isExactlyChunked } from './framing.js';
import { readRequestPath, type RequestPath } from './path.js';

/** Longest request target that is accepted, in characters (414 beyond). */
export const MAX_URL_LENGTH = 8 * 1024;
/** Largest block of header lines that is accepted, in bytes as sent (431 beyond). */
export const MAX_HEADER_BLOCK = 16 * 1024;

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Checks a request before anything acts on it, and reads its path. Node's parser has refused by then: both
 * Transfer-Encoding and Content-Length, obsolete folding, bare LF. What it lets through and two servers could read
 * in two ways is refused here, so no upstream sees it.
 */
export function screenRequest(req: IncomingMessage): RequestPath | ProxyError {
  return (
    refuseMethod(req) ??
    refuseVersion(req) ??
    refuseSize(req) ??
    refuseHost(req) ??
    refuseFraming(req) ??
    refuseExpectation(req) ??
    readTarget(req)
  );
}

/**
 * The further checks of an upgrade: a body or another method than GET would leave bytes that the gateway and the
 * upstream attribute to different messages.
 */
export function refuseUpgradeRequest(req: IncomingMessage): ProxyError | null {
  if (req.method !== 'GET') return badRequest('An upgrade needs the method GET.');
  if (hasBody(req)) return badRequest('An upgrade must not carry a body.');
  return null;
}

/**
 * Whether an OPTIONS request asks the gateway itself: `*` names no resource of an upstream, nor does a URL without a
 * path (RFC 9112 §3.2.4), and `Max-Forwards: 0` forbids to go on (RFC 9110 §7.6.2).
 */
export function asksTheGatewayItself({ method, url = '', headers }: IncomingMessage): boolean {
  if (method !== 'OPTIONS') return false;
  return url === '*' || ABSOLUTE_FORM.exec(url)?.[2] === '' || /^0+$/.test(String(headers['max-forwards']));
}

function refuseMethod(req: IncomingMessage): ProxyError | null {
  // TRACE would echo the identity headers we add to whoever sent it.
  if (req.method !== 'CONNECT' && req.method !== 'TRACE') return null;
  return new ProxyError('METHOD_NOT_IMPLEMENTED', `${req.method} is not served here.`);
}

function refuseVersion(req: IncomingMessage): ProxyError | null {
  if (req.httpVersion === '1.1' || req.httpVersion === '1.0') return null;
  return badRequest('Only HTTP/1.1 and HTTP/1.0 are spoken here.');
}

function refuseSize(req: IncomingMessage): ProxyError | null {
  if ((req.url ?? '').length > MAX_URL_LENGTH) {
    return new ProxyError('URI_TOO_LONG', `The URL is longer than ${MAX_URL_LENGTH} characters.`);
  }
  let size = 0;
  for (const part of req.rawHeaders) size += part.length + 2; // ': ' after a name, CR LF after a value
  if (size <= MAX_HEADER_BLOCK) return null;
  return new ProxyError('HEADERS_TOO_LARGE', `The header block is larger than ${MAX_HEADER_BLOCK} bytes.`);
}

function refuseHost(req: IncomingMessage): ProxyError | null {
  const { host } = req.headers;
  if (host === undefined) return req.httpVersion === '1.0' ? null : badRequest('The Host header is missing.');
  if (!HOST.test(host)) return badRequest('The Host header is not a valid host.');
  // Node keeps the first of two; an upstream might keep the last.
  return countHosts(req.rawHeaders) > 1 ? badRequest('There is more than one Host header.') : null;
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}

function refuseFraming(req: IncomingMessage): ProxyError | null {
  const { 'transfer-encoding': transferEncoding, 'content-length': length } = req.headers;
  if (transferEncoding === undefined) return length === undefined ? null : refuseLength(length);
  if (req.httpVersion === '1.0') return badRequest('Transfer-Encoding does not exist in HTTP/1.0.');
  if (!isExactlyChunked(transferEncoding)) return badRequest('The only Transfer-Encoding served is chunked.');
  return length === undefined ? null : badRequest('Transfer-Encoding and Content-Length exclude each other.');
}

/** A number that is not exact any more would be another one when it is passed on (RFC 9110 §8.6). */
function refuseLength(length: string): ProxyError | null {
  return Number.isSafeInteger(Number(length))
    ? null
    : badRequest('The Content-Length is beyond all measure.');
}

function refuseExpectation(req: IncomingMessage): ProxyError | null {
  const { expect } = req.headers;
  if (expect === undefined || req.httpVersion === '1.0' || expect.toLowerCase() === '100-continue')
    return null;
  return new ProxyError('EXPECTATION_FAILED', 'The only expectation that can be met is 100-continue.');
}

function readTarget(req: IncomingMessage): RequestPath | ProxyError {
  const target = originForm(req);
  if (target === '*' && req.method === 'OPTIONS') return { path: '*', search: '', readings: [] };
  const path = target === null ? null : readRequestPath(target);
  return path ?? badRequest('The request target is not a plain path of this host.');
}

/** The path and query of an absolute-form target of this very host; null for any other host or scheme. */
function originForm(req: IncomingMessage): string | null {
  const { url = '' } = req;
  if (url.charCodeAt(0) === 0x2f || url === '*') return url;
  const absolute = ABSOLUTE_FORM.exec(url);
  if (absolute === null) return null;
  const [, authority = '', rest = ''] = absolute;
  if (req.headers.host === undefined) adoptHost(req, authority);
  if (authority.toLowerCase() !== req.headers.host?.toLowerCase()) return null;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** HTTP/1.0 may name the host in the target alone; whoever comes next looks for it in `Host` (RFC 9112 §3.2.2). */
function adoptHost(req: IncomingMessage, authority: string): void {
  if (!HOST.test(authority)) return;
  req.headers.host = authority;
  req.rawHeaders.push('Host', authority);
}

function badRequest(message: string): ProxyError {
  return new ProxyError('BAD_REQUEST', message);
}
