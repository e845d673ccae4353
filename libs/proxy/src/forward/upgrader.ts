import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyMiddleware, type RequestHandler } from 'http-proxy-middleware';
import { errorCode, ProxyError, requestIdOf, type Clock } from '#common';
import { headerLines } from '../headers/header-lines.js';
import { addRenewedCookie } from '../headers/renewed-cookie.js';
import type { ResponseHeaders } from '../headers/response-headers.js';
import { refuseUpgrade } from '../http/answer.js';
import type { UpstreamOutcome } from '../targets/target.js';
import type { InFlightLimit, Lane } from './forward-target.js';
import type { LiveSocket, LiveSockets, SocketOwner } from './live-sockets.js';
import {
  faultOf,
  keptFromTheLibrary,
  switchesToWebSocket,
  toHeaderObject,
  upgradeHeaders,
} from './upgrade-messages.js';
import { upstreamError } from './upstream-error.js';

/** Where an upgrade goes. */
export interface UpgradeTarget {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Null for a slice. */
  readonly lane: Lane | null;
  /** Path and query as the upstream gets them. */
  readonly path: string;
  /** The route's or slice's name for what is counted together, and what its clients are told when it is full. */
  readonly limit: Pick<InFlightLimit, 'key' | 'code'>;
}

export interface UpgraderOptions {
  readonly clock: Clock;
  readonly responseHeaders: ResponseHeaders;
  readonly live: LiveSockets;
  /** How long the upstream may take to answer the handshake, in milliseconds. */
  readonly timeoutMs: number;
  /** Connections of one owner at a time; more are refused (503), so that nobody takes all file descriptors. */
  readonly maxSocketsPerOwner: number;
  /** The same for all who lead to one route, however many they are. */
  readonly maxSocketsPerRoute: number;
  /** The same for all who lead to one slice. */
  readonly maxSocketsPerSlice: number;
  /**
   * Called once per upgrade; null where the upstream answered, by 101 or otherwise. `CLIENT_CLOSED_REQUEST` is the
   * client's doing and says nothing of the upstream.
   */
  readonly onDone?: (req: IncomingMessage, target: UpgradeTarget, error: ProxyError | null) => void;
}

const BUSY_RETRY_SECONDS = 10;

/** No connection came to be (connect(2), getaddrinfo(3)). */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const UPGRADE = Symbol('sluice.upgrade');

interface Upgrade {
  readonly target: UpgradeTarget;
  readonly live: LiveSocket;
  /** Listens to the client until the upgrade is settled. */
  readonly onLeft: () => void;
  /** Null until it is sent. */
  outgoing: ClientRequest | null;
  /** Whether it was answered, or nobody is there any more to answer. */
  settled: boolean;
}

type UpgradeRequest = IncomingMessage & { [UPGRADE]?: Upgrade };

/** Forwards WebSocket upgrades by http-proxy-middleware. The decision and all headers are made before it is asked. */
export class Upgrader {
  readonly #options: UpgraderOptions;
  readonly #proxy: RequestHandler;

  constructor(options: UpgraderOptions) {
    this.#options = options;
    this.#proxy = createProxyMiddleware({
      // The library insists on a target; every request brings its own through the router.
      target: 'http://upgrade.invalid',
      router: (req: UpgradeRequest) => this.#targetOf(req),
      prependPath: false,
      upgradeTimeout: options.timeoutMs,
      ejectPlugins: true,
      plugins: [
        (proxy) => {
          proxy.on('error', (error, req) => req && this.#onError(error, req));
          proxy.on('proxyReqWs', (proxyReq, req) => this.#onProxyRequest(proxyReq, req));
        },
      ],
    });
  }

  /**
   * Forwards an upgrade and answers it, whatever happens.
   * @param headers what the upstream gets, from `RequestHeaders.forUpstream`
   */
  upgrade(
    req: IncomingMessage,
    head: Buffer,
    target: UpgradeTarget,
    headers: readonly string[],
    owner: SocketOwner,
  ): void {
    if (this.#isFull(target, owner)) {
      this.#refuseBusy(req, target);
      return;
    }
    const upgrade = this.#begin(req, target, owner);
    req.url = target.path;
    req.headers = upgradeHeaders(headers);
    if (req.socket.readableEnded) this.#abandon(req, upgrade);
    else this.#proxy.upgrade(req, req.socket, head);
  }

  #isFull({ lane, limit }: UpgradeTarget, owner: SocketOwner): boolean {
    const { live, maxSocketsPerOwner, maxSocketsPerRoute, maxSocketsPerSlice } = this.#options;
    const max = lane === null ? maxSocketsPerSlice : maxSocketsPerRoute;
    return live.countOf(owner.countedAs) >= maxSocketsPerOwner || live.countLeadingTo(limit.key) >= max;
  }

  /** Counts the upgrade and listens to its client, before the library does. */
  #begin(req: UpgradeRequest, target: UpgradeTarget, owner: SocketOwner): Upgrade {
    const upgrade: Upgrade = {
      target,
      live: this.#options.live.add(owner, req.socket, target.limit.key),
      onLeft: () => this.#abandon(req, upgrade),
      outgoing: null,
      settled: false,
    };
    req[UPGRADE] = upgrade;
    req.socket.once('end', upgrade.onLeft).once('close', upgrade.onLeft);
    return upgrade;
  }

  #targetOf(req: UpgradeRequest): { protocol: string; host: string; hostname: string; port: number } {
    const { host, port, tls } = upgradeOf(req).target;
    return { protocol: tls ? 'https:' : 'http:', host, hostname: host, port };
  }

  #onError(error: Error, req: UpgradeRequest): void {
    const upgrade = upgradeOf(req);
    if (upgrade.settled) upgrade.live.destroy();
    // The library tells of both connections alike, and of the client's before any other listener hears of it.
    else if (upgrade.live.client.destroyed) this.#abandon(req, upgrade);
    else {
      report(upgrade.target, outcomeOf(error));
      this.#refuse(req, upgrade, upstreamError(error));
    }
  }

  /** Runs before the library's own listeners, so what is changed here is what it passes on. */
  #onProxyRequest(proxyReq: ClientRequest, req: UpgradeRequest): void {
    const upgrade = upgradeOf(req);
    upgrade.outgoing = proxyReq;
    if (upgrade.settled) {
      proxyReq.destroy();
      return;
    }
    proxyReq.on('upgrade', (answer: IncomingMessage, upstream: Socket) => {
      if (!switchesToWebSocket(answer)) {
        upstream.destroy();
        this.#refuseAnswer(req, upgrade, 'The protocol that the answer switches to');
        return;
      }
      this.#answered(req, upgrade);
      answer.headers = { ...this.#clientHeaders(req, answer), connection: 'Upgrade', upgrade: 'websocket' };
      upgrade.live.connect(upstream);
    });
    proxyReq.on('response', (answer: IncomingMessage) => {
      const transferEncoding = answer.headers['transfer-encoding'];
      const fault = faultOf(answer);
      if (fault !== null) {
        answer.destroy();
        this.#refuseAnswer(req, upgrade, fault);
        return;
      }
      this.#answered(req, upgrade);
      const framing = transferEncoding === undefined ? {} : { 'transfer-encoding': transferEncoding };
      answer.headers = { date: this.#options.clock.now().toUTCString(), ...this.#clientHeaders(req, answer) };
      Object.assign(answer.headers, framing, keptFromTheLibrary(answer.headers));
      answer.statusMessage = STATUS_CODES[answer.statusCode ?? 502] ?? '';
      // The library repeats the upstream's; an intermediary says its own (RFC 9110 §6.2).
      answer.httpVersion = '1.1';
    });
  }

  /**
   * The answer's headers, a renewed cookie included: browsers take cookies from a 101 as well (RFC 6455 §1.3), and an app
   * that does nothing but keep its socket open would otherwise sign its user out.
   */
  #clientHeaders(req: IncomingMessage, answer: IncomingMessage): IncomingHttpHeaders {
    const facts = { status: answer.statusCode ?? 502, trailers: false, requestId: requestIdOf(req) };
    const lines = this.#options.responseHeaders.forClient(headerLines(answer.headers), facts);
    addRenewedCookie(lines, req);
    return toHeaderObject(lines);
  }

  #answered(req: IncomingMessage, upgrade: Upgrade): void {
    report(upgrade.target, 'answered');
    this.#settle(req, upgrade, null);
  }

  /**
   * The client is gone, or will send nothing any more: nobody's failure upstream, and nothing to answer. The library
   * would keep the handshake up until its time is over, and call that the upstream's failure.
   */
  #abandon(req: IncomingMessage, upgrade: Upgrade): void {
    if (upgrade.settled) return;
    this.#settle(req, upgrade, new ProxyError('CLIENT_CLOSED_REQUEST', 'The client closed the connection.'));
    upgrade.outgoing?.destroy();
    upgrade.live.destroy();
  }

  #refuseBusy(req: IncomingMessage, target: UpgradeTarget): void {
    const error = new ProxyError(target.limit.code, 'There are as many WebSockets open as there may be.', {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
    });
    refuseUpgrade(req, req.socket, error, this.#options.clock.now());
    this.#options.onDone?.(req, target, error);
  }

  /** Instead of an answer that can't be passed on. */
  #refuseAnswer(req: IncomingMessage, upgrade: Upgrade, what: string): void {
    this.#refuse(req, upgrade, upstreamError(new Error(what)));
    // The library's own listener comes next; only a client that can't be written to does it spare this answer.
    upgrade.live.client.end();
  }

  #refuse(req: IncomingMessage, upgrade: Upgrade, error: ProxyError): void {
    this.#settle(req, upgrade, error);
    refuseUpgrade(req, upgrade.live.client, error, this.#options.clock.now());
  }

  #settle(req: IncomingMessage, upgrade: Upgrade, error: ProxyError | null): void {
    upgrade.settled = true;
    upgrade.live.client.off('end', upgrade.onLeft).off('close', upgrade.onLeft);
    this.#options.onDone?.(req, upgrade.target, error);
  }
}

function report({ lane }: UpgradeTarget, outcome: UpstreamOutcome): void {
  lane?.target.report(lane.upstream, outcome);
}

/** What a failed handshake says of the upstream. The library does not tell a connection from what came over it. */
function outcomeOf(error: Error): UpstreamOutcome {
  const code = errorCode(error) ?? '';
  if (code === 'ERR_UPSTREAM_UPGRADE_TIMEOUT') return 'timed-out';
  return NEVER_CONNECTED.has(code) ? 'unreachable' : 'broken';
}

function upgradeOf(req: UpgradeRequest): Upgrade {
  const upgrade = req[UPGRADE];
  if (upgrade === undefined) throw new Error('An upgrade that did not come through the upgrader');
  return upgrade;
}
