import { assertNever } from '#common';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import type { GatewayCookies } from './cookies.js';
import { fieldOf, type HeaderLines } from './header-lines.js';
import { connectionListed, HOP_BY_HOP } from './hop-by-hop.js';

/** The response an upstream gave, as far as its headers depend on it. */
export interface ResponseFacts {
  readonly status: number;
  /** Whether trailers can follow: the upstream sends chunks, the client reads them. */
  readonly trailers: boolean;
  readonly requestId: string;
}

/**
 * Not a slice's to say, because they act on the whole origin (or host), which it shares with the gateway and every
 * other page there, and mostly outlive the answer: a header that a slice sets stays as it is, but these it has not to
 * set. Where the gateway has one of its own, that one is always sent.
 */
const ORIGIN_WIDE: ReadonlySet<string> = new Set([
  // Would sign everybody out.
  'clear-site-data',
  // Would move the origin to another server.
  'alt-svc',
  // Binds the host, with its subdomains, for as long as it says; `max-age=0` would take the binding away.
  'strict-transport-security',
  // Would let a script under the slice's path intercept the pages of the gateway.
  'service-worker-allowed',
  // Would send reports of everybody's requests to where the slice likes.
  'nel',
  'report-to',
  'reporting-endpoints',
  // Would have the browser tell more of itself to the whole origin.
  'accept-ch',
  // The first page of the origin decides for all of them.
  'origin-agent-cluster',
]);

/** Sent where the upstream does not set the field itself; each has a bit of its own, by which it is noted what was set. */
const DEFAULTS = SECURITY_HEADERS.filter(({ key }) => !ORIGIN_WIDE.has(key)).map((header, i) => ({
  ...header,
  bit: 1 << i,
}));
const REQUEST_ID = 1 << DEFAULTS.length;
const NOTHING_SET = (1 << (DEFAULTS.length + 1)) - 1;

/** Sent always; name, value, name, value … */
const FIXED = SECURITY_HEADERS.filter(({ key }) => ORIGIN_WIDE.has(key)).flatMap(({ name, value }) => [
  name,
  value,
]);

/**
 * An answer that asks for an upgrade has to say for which one (RFC 9110 §15.5.22), and this is the only one that is
 * forwarded. The connection may as well end: the client comes back by another.
 */
const WEBSOCKET_OFFER: readonly string[] = ['Connection', 'close, Upgrade', 'Upgrade', 'websocket'];

/** What is done with a field; the others are passed on. A number is the bit of one that the gateway has a default for. */
type Action = 'drop' | 'set-cookie' | 'trailer' | 'content-length' | number;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ...DEFAULTS.map(({ key, bit }) => [key, bit] as const),
  ['x-request-id', REQUEST_ID],
  ...[...HOP_BY_HOP, ...ORIGIN_WIDE].map((name) => [name, 'drop'] as const),
  ['set-cookie', 'set-cookie'],
  ['trailer', 'trailer'],
  ['content-length', 'content-length'],
]);

/** Fields that must not come after the body (RFC 9110 §6.5.1): framing, routing, authentication, cookies, content, caching. */
const NEVER_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...ORIGIN_WIDE,
  ...SECURITY_HEADERS.map(({ key }) => key),
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'host',
  'location',
  'retry-after',
  'set-cookie',
  'trailer',
  'vary',
  'www-authenticate',
  'x-request-id',
]);

/** Turns the headers of an upstream's response into those its client gets: name, value, name, value … */
export class ResponseHeaders {
  readonly #cookies: GatewayCookies;

  constructor(cookies: GatewayCookies) {
    this.#cookies = cookies;
  }

  /** The final response's headers: what the upstream sent and may send, and of ours what it didn't set itself. */
  forClient(upstream: HeaderLines, facts: ResponseFacts): string[] {
    const out: string[] = [];
    const missing = this.#pass(out, upstream, facts);
    for (const { bit, name, value } of DEFAULTS) if ((missing & bit) !== 0) out.push(name, value);
    for (const part of FIXED) out.push(part);
    if ((missing & REQUEST_ID) !== 0) out.push('X-Request-Id', facts.requestId);
    if (facts.status === 426 && offersWebSocket(upstream)) out.push(...WEBSOCKET_OFFER);
    return out;
  }

  /** An interim response's headers (103 Early Hints): what may be passed on, and nothing added. */
  forInterim(upstream: HeaderLines, facts: ResponseFacts): string[] {
    const out: string[] = [];
    this.#pass(out, upstream, facts);
    return out;
  }

  /**
   * Copies what may be passed on.
   * @returns the bits of the defaults that it did not find
   */
  #pass(out: string[], upstream: HeaderLines, facts: ResponseFacts): number {
    const listed = connectionListed(fieldOf(upstream, 'connection'));
    let missing = NOTHING_SET;
    for (let i = 0; i < upstream.length; i += 2) {
      const key = upstream[i] ?? '';
      const value = upstream[i + 1] ?? '';
      if (listed?.has(key)) continue;
      const action = ACTIONS.get(key);
      if (typeof action === 'number') missing &= ~action;
      else if (action !== undefined && !this.#isAllowed(action, value, facts)) continue;
      out.push(key, value);
    }
    return missing;
  }

  #isAllowed(action: Exclude<Action, number>, value: string, facts: ResponseFacts): boolean {
    switch (action) {
      case 'drop':
        return false;
      case 'set-cookie':
        return !this.#cookies.ownsSetCookie(value);
      case 'trailer':
        return facts.trailers;
      case 'content-length':
        // 204 must not have one; 304's speaks of another message's body, and parsers differ on it (RFC 9110 §8.6).
        return facts.status >= 200 && facts.status !== 204 && facts.status !== 304;
      default:
        return assertNever(action);
    }
  }
}

/** The trailers that may be passed on, as `addTrailers` takes them. */
export function trailersForClient(upstream: HeaderLines): [string, string][] {
  const kept: [string, string][] = [];
  for (let i = 0; i < upstream.length; i += 2) {
    const name = upstream[i] ?? '';
    if (!NEVER_IN_TRAILERS.has(name)) kept.push([name, upstream[i + 1] ?? '']);
  }
  return kept;
}

function offersWebSocket(upstream: HeaderLines): boolean {
  return /(?:^|,)\s*websocket\s*(?:,|$)/i.test(fieldOf(upstream, 'upgrade') ?? '');
}
