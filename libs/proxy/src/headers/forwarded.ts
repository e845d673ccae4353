import type { IncomingMessage } from 'node:http';

/**
 * Says where the request came from. Rebuilt from the socket, and continued only for a trusted proxy: any client may
 * claim to be somebody else (cf. Caddy's addForwardedHeaders).
 * @param out the header lines to add to
 */
export function addForwarded(out: string[], req: IncomingMessage, trusted: boolean): void {
  const peer = peerAddress(req);
  const earlier = trusted ? req.headers['x-forwarded-for'] : undefined;
  out.push('x-forwarded-for', earlier === undefined ? peer : `${String(earlier)}, ${peer}`);
  out.push('x-forwarded-proto', clientScheme(req, trusted));
  const offered = trusted ? req.headers['x-forwarded-host'] : undefined;
  const host = typeof offered === 'string' && offered !== '' ? offered : req.headers.host;
  if (host !== undefined) out.push('x-forwarded-host', host);
}

/** What the client speaks: to us, or by the word of a trusted proxy to that. */
export function clientScheme(req: IncomingMessage, trusted: boolean): 'http' | 'https' {
  return (trusted ? claimedProtocol(req) : null) ?? protocolOf(req);
}

/**
 * What the client spoke, by the word of the proxy in front. Where several proxies each add theirs (`https, http`), the
 * first is the client's, as in X-Forwarded-For; null where that is no scheme of HTTP (they are case-insensitive, RFC
 * 3986 §3.1).
 */
function claimedProtocol(req: IncomingMessage): 'http' | 'https' | null {
  const first = String(req.headers['x-forwarded-proto'] ?? '').split(',', 1)[0];
  const scheme = first?.trim().toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : null;
}

function protocolOf(req: IncomingMessage): 'http' | 'https' {
  return 'encrypted' in req.socket && req.socket.encrypted === true ? 'https' : 'http';
}

/** The address of the socket's other end; IPv4 in its own notation on dual-stack sockets too. */
function peerAddress(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
