import type { IncomingHttpHeaders } from 'node:http';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import type { GatewayCookies } from './cookies.js';
import { connectionListed, HOP_BY_HOP } from './hop-by-hop.js';

/** The response an upstream gave, as far as its headers depend on it. */
export interface ResponseFacts {
  readonly status: number;
  /** Whether trailers can follow: the upstream sends chunks, the client reads them. */
  readonly trailers: boolean;
  readonly requestId: string;
}

/**
 * Not a slice's to say, because they act on the whole origin, which it shares with the gateway: `Clear-Site-Data`
 * would sign everybody out, `Alt-Svc` would move the origin to another server.
 */
const ORIGIN_WIDE = ['clear-site-data', 'alt-svc'];

const DROP = -1;
const SET_COOKIE = -2;
const TRAILER = -3;
const CONTENT_LENGTH = -4;

/** Fields that must not come after the body (RFC 9110 §6.5.1): framing, routing, authentication, cookies, content. */
const NEVER_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...ORIGIN_WIDE,
  ...SECURITY_HEADERS.map(({ key }) => key),
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'location',
  'set-cookie',
  'trailer',
  'www-authenticate',
  'x-request-id',
]);

/** Turns the headers of an upstream's response into those its client gets: name, value, name, value … */
export class ResponseHeaders {
  readonly #cookies: GatewayCookies;
  /** What to do with a field: a negative number is one of the actions, another the index of a header of ours. */
  readonly #actions: ReadonlyMap<string, number>;

  constructor(cookies: GatewayCookies) {
    this.#cookies = cookies;
    this.#actions = new Map([
      ...[...HOP_BY_HOP, ...ORIGIN_WIDE].map((name) => [name, DROP] as const),
      ...SECURITY_HEADERS.map(({ key }, index) => [key, index] as const),
      ['x-request-id', SECURITY_HEADERS.length],
      ['set-cookie', SET_COOKIE],
      ['trailer', TRAILER],
      ['content-length', CONTENT_LENGTH],
    ]);
  }

  /** The final response's headers: what the upstream sent and may send, and of ours what it didn't set itself. */
  forClient(upstream: IncomingHttpHeaders, facts: ResponseFacts): string[] {
    const out: string[] = [];
    const present = this.#pass(upstream, facts, out);
    for (let i = 0; i < SECURITY_HEADERS.length; i++) {
      const header = SECURITY_HEADERS[i];
      if (header !== undefined && (present & (1 << i)) === 0) out.push(header.name, header.value);
    }
    if ((present & (1 << SECURITY_HEADERS.length)) === 0) out.push('X-Request-Id', facts.requestId);
    return out;
  }

  /** An interim response's headers (103 Early Hints): what may be passed on, and nothing added. */
  forInterim(upstream: IncomingHttpHeaders, facts: ResponseFacts): string[] {
    const out: string[] = [];
    this.#pass(upstream, facts, out);
    return out;
  }

  /** Copies what may be passed on; gives the set of our own headers that the upstream brought, one bit each. */
  #pass(upstream: IncomingHttpHeaders, facts: ResponseFacts, out: string[]): number {
    const listed = connectionListed(upstream.connection);
    let present = 0;
    for (const key of Object.keys(upstream)) {
      const value = upstream[key];
      if (value === undefined || listed?.has(key)) continue;
      const action = this.#actions.get(key);
      if (action !== undefined) {
        if (action >= 0) present |= 1 << action;
        else if (!isAllowed(action, facts)) continue;
      }
      if (typeof value === 'string') this.#push(out, key, value, action);
      else for (const line of value) this.#push(out, key, line, action);
    }
    return present;
  }

  #push(out: string[], key: string, value: string, action: number | undefined): void {
    if (action === SET_COOKIE && this.#cookies.ownsSetCookie(value)) return;
    out.push(key, value);
  }
}

/** The trailers that may be passed on, as `addTrailers` takes them. */
export function trailersForClient(upstream: IncomingHttpHeaders): [string, string][] {
  return Object.entries(upstream).flatMap(([name, value]) => {
    if (value === undefined || NEVER_IN_TRAILERS.has(name)) return [];
    return (typeof value === 'string' ? [value] : value).map((line): [string, string] => [name, line]);
  });
}

function isAllowed(action: number, facts: ResponseFacts): boolean {
  switch (action) {
    case DROP:
      return false;
    case TRAILER:
      return facts.trailers;
    case CONTENT_LENGTH:
      // 204 must not have one; 304's speaks of another message's body, and parsers differ on it (RFC 9110 §8.6).
      return facts.status >= 200 && facts.status !== 204 && facts.status !== 304;
    default:
      return true;
  }
}
