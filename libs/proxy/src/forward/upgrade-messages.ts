import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isExactlyChunked } from '../http/framing.js';

/** The lines as the library takes them, and the two hop-by-hop fields that make the request an upgrade. */
export function upgradeHeaders(lines: readonly string[]): IncomingHttpHeaders {
  const headers = toHeaderObject(lines);
  // It would ask for trailers, which have no place here.
  delete headers['te'];
  return { ...headers, connection: 'Upgrade', upgrade: 'websocket' };
}

/** Nobody may be switched to a protocol that they did not ask for (RFC 9110 §7.8). */
export function switchesToWebSocket({ headers }: IncomingMessage): boolean {
  const options = headers.connection?.toLowerCase().split(',') ?? [];
  return (
    headers.upgrade?.toLowerCase() === 'websocket' && options.some((option) => option.trim() === 'upgrade')
  );
}

/** What makes an answer without an upgrade one that can't be passed on. */
export function faultOf({ statusCode, headers }: IncomingMessage): string | null {
  const transferEncoding = headers['transfer-encoding'];
  if (transferEncoding !== undefined && !isExactlyChunked(transferEncoding))
    return 'Transfer-Encoding of the response';
  // A switch that lacks a header is no upgrade to Node, and no answer either.
  return statusCode === 101 ? 'The answer switches protocols without saying to which' : null;
}

/** The offer of an upgrade, spelled so that the library, which knows the names in lower case, does not remove it. */
export function keptFromTheLibrary({ upgrade }: IncomingHttpHeaders): Record<string, string> {
  return upgrade === undefined ? {} : { Connection: 'Upgrade', Upgrade: upgrade };
}

/** Name, value, name, value … as an object; repeated names become a list. */
export function toHeaderObject(lines: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] ?? '').toLowerCase();
    const value = lines[i + 1] ?? '';
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else headers[name] = Array.isArray(earlier) ? [...earlier, value] : [earlier, value];
  }
  return headers;
}
