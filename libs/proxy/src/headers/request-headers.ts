import type { IncomingMessage } from 'node:http';
import { assertNever, type TrustProxy } from '#common';
import type { GatewayCookies } from './cookies.js';
import { addForwarded } from './forwarded.js';
import { connectionListed, HOP_BY_HOP } from './hop-by-hop.js';
import { OwnCredentials } from './own-credentials.js';
import type { Via } from './via.js';

/** What is the gateway's own in a request, and whom it believes; the same for all requests. */
export interface RequestHeaderPolicy {
  readonly cookies: GatewayCookies;
  readonly trustProxy: TrustProxy;
  /** Headers that carry a credential of the gateway, such as `X-Admin-Key`. */
  readonly credentialHeaders: readonly string[];
  /** Whether a token is the gateway's (admin key, API key, gateway token) and not the application's. */
  readonly isGatewayToken: (token: string) => boolean;
  /** The operator's key; it is taken out wherever it stands. */
  readonly adminKey: string;
  readonly via: Via;
}

/** What differs from request to request. */
export interface UpstreamContext {
  /** The lines of {@link identityHeaders}; empty for nobody. */
  readonly identity: readonly string[];
  readonly requestId: string;
  /** False removes every `Authorization`, true only the gateway's own tokens. */
  readonly forwardAuthorization: boolean;
  /** What `Host` says to the upstream; null: what it said to us. */
  readonly host: string | null;
}

/** Set by the gateway alone: a client's own are forgeries, whatever their case and wherever they are listed. */
const SET_BY_GATEWAY = [
  'x-user-email',
  'x-user-sub',
  'x-user-name',
  'x-gateway-route',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  // The same facts in another notation; sent by nobody but the client, they would contradict ours (RFC 7239 §8.1).
  'forwarded',
];

/** `Expect` is answered by the gateway, `Trailer` announces what is not forwarded (RFC 9110 §6.5). */
const ANSWERED_HERE = ['expect', 'trailer'];

/** Other claims about the way here; passed on from a trusted proxy only. */
const CLAIMS_OF_THE_WAY = ['x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'true-client-ip'];

/** What a header line is looked at with. */
interface Line {
  readonly req: IncomingMessage;
  readonly context: UpstreamContext;
  /** The session ids that the request presents. */
  readonly sessions: readonly string[];
}

type Handling = 'drop' | 'from-trusted-peer' | 'host' | 'cookie' | 'authorization' | 'te' | 'max-forwards';

/**
 * Turns the headers of a request into those its upstream gets, name, value, name, value … What
 * is passed on keeps its order, case and duplicates.
 */
export class RequestHeaders {
  readonly #policy: RequestHeaderPolicy;
  readonly #handling: ReadonlyMap<string, Handling>;
  readonly #own: OwnCredentials;

  constructor(policy: RequestHeaderPolicy) {
    this.#policy = policy;
    this.#own = new OwnCredentials(policy.isGatewayToken, policy.adminKey);
    const dropped = [...HOP_BY_HOP, ...SET_BY_GATEWAY, ...ANSWERED_HERE, ...policy.credentialHeaders];
    this.#handling = new Map<string, Handling>([
      ...dropped.map((name) => [name.toLowerCase(), 'drop'] as const),
      ...CLAIMS_OF_THE_WAY.map((name) => [name, 'from-trusted-peer'] as const),
      ['host', 'host'],
      ['cookie', 'cookie'],
      ['authorization', 'authorization'],
      ['te', 'te'],
      ['max-forwards', 'max-forwards'],
    ]);
  }

  /** The header lines for the upstream of a request that has passed `screenRequest`. */
  forUpstream(req: IncomingMessage, context: UpstreamContext): string[] {
    const trusted = this.#policy.trustProxy.trusts(req.socket.remoteAddress);
    const out = this.#keep(req, context, trusted);
    addForwarded(out, req, trusted);
    out.push('via', this.#policy.via.lineFor(req), 'x-request-id', context.requestId);
    for (const part of context.identity) out.push(part);
    return out;
  }

  /** The query for the upstream, with its `?`; the rest of it word for word. */
  queryForUpstream(search: string, req: IncomingMessage): string {
    return this.#own.stripQuery(search, this.#policy.cookies.secretsIn(req.headers.cookie));
  }

  #keep(req: IncomingMessage, context: UpstreamContext, trusted: boolean): string[] {
    const { rawHeaders } = req;
    const listed = connectionListed(req.headers.connection);
    const sessions = this.#policy.cookies.secretsIn(req.headers.cookie);
    const out: string[] = [];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const value = rawHeaders[i + 1] ?? '';
      const key = name.toLowerCase();
      if (listed?.has(key) && key !== 'te') continue;
      const handling = this.#handlingOf(key, trusted);
      if (handling === undefined) {
        if (!this.#own.standIn(value, sessions)) out.push(name, value);
        continue;
      }
      const kept = this.#handle(handling, value, { req, context, sessions });
      if (kept !== null) out.push(name, kept);
    }
    return out;
  }

  #handlingOf(key: string, trusted: boolean): Handling | undefined {
    // CGI and its heirs read x_user_email as X-User-Email: a field that only an underscore tells from one of ours
    // has no business here.
    if (key.includes('_')) return this.#handlingOf(key.replaceAll('_', '-'), trusted) && 'drop';
    const handling = this.#handling.get(key);
    if (handling === 'from-trusted-peer') return trusted ? undefined : 'drop';
    if (handling === undefined && !trusted && key.startsWith('x-forwarded-')) return 'drop';
    return handling;
  }

  #handle(handling: Handling, value: string, { req, context, sessions }: Line): string | null {
    switch (handling) {
      case 'host':
        return context.host ?? value;
      case 'cookie':
        return this.#stripCookies(value, sessions);
      case 'authorization':
        return context.forwardAuthorization && !this.#own.standInAuthorization(value, sessions)
          ? value
          : null;
      case 'te':
        // Some servers send trailers only when asked; ours is the only connection it can concern.
        return /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value) ? 'trailers' : null;
      case 'max-forwards':
        return req.method === 'OPTIONS' ? oneLess(value) : value;
      case 'drop':
      case 'from-trusted-peer':
        return null;
      default:
        return assertNever(handling);
    }
  }

  #stripCookies(header: string, sessions: readonly string[]): string | null {
    const foreign = this.#policy.cookies.stripFromRequest(header);
    return foreign === null ? null : this.#own.stripCookies(foreign, sessions);
  }
}

/** More hops than any way has; a larger number is forwarded as this one, which RFC 9110 §7.6.2 allows. */
const MOST_FORWARDS = 1_000_000;

/** `Max-Forwards` counts the hops that are left; what is no number is left to the upstream. */
function oneLess(value: string): string {
  return /^\d+$/.test(value) ? String(Math.min(Number(value) - 1, MOST_FORWARDS)) : value;
}
