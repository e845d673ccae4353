import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { assignRequestId, type ProxyError, requestIdOf, SystemClock, TrustProxy } from '#common';
// The parts of the library, which has no use for them outside.
import type { Lane } from '../../libs/proxy/src/forward/forward-target.js';
import { Forwarder } from '../../libs/proxy/src/forward/forwarder.js';
import { LiveSockets } from '../../libs/proxy/src/forward/live-sockets.js';
import { Upgrader } from '../../libs/proxy/src/forward/upgrader.js';
import { GatewayCookies } from '../../libs/proxy/src/headers/cookies.js';
import { RequestHeaders } from '../../libs/proxy/src/headers/request-headers.js';
import { ResponseHeaders } from '../../libs/proxy/src/headers/response-headers.js';
import { Via } from '../../libs/proxy/src/headers/via.js';
import { ConnectionLimits } from '../../libs/proxy/src/http/connection-limits.js';
import { EdgeServer, type EdgeHandler } from '../../libs/proxy/src/http/edge-server.js';
import { portOf } from './stub-upstream.js';

export interface HarnessOptions {
  readonly timeoutMs?: number;
  readonly upgradeTimeoutMs?: number;
  readonly maxInFlight?: number;
  readonly compress?: boolean;
  readonly lane?: Lane;
  readonly maxSocketsPerOwner?: number;
  readonly maxSocketsPerRoute?: number;
  readonly maxSocketsPerSlice?: number;
  readonly limits?: Partial<ConnectionLimits>;
}

const clock = new SystemClock();
const OWNER = {
  sessionKey: 'session-1',
  expiresAt: null,
  userId: 'user-1',
  apiKeyId: null,
  sliceId: 1,
  countedAs: 'user-1',
};
const IDENTITY = ['x-user-email', 'ada@example.com', 'x-user-sub', 'user-1', 'x-user-name', 'Ada'];

/**
 * The mechanics of the proxy on a real port, without any decision: every request goes to one upstream, as one user.
 * For upstreams that misbehave, and with limits short enough to be met; for all the rest there is `Gateway`.
 */
export class ProxyHarness implements EdgeHandler {
  readonly live: LiveSockets;
  /** The code of every finished exchange, null for a success. */
  readonly outcomes: (string | null)[] = [];
  readonly forwarder: Forwarder;
  readonly #server: EdgeServer;
  readonly #requestHeaders: RequestHeaders;
  readonly #upgrader: Upgrader;
  #awaitsOutcome: (() => void)[] = [];

  private constructor(
    readonly upstreamPort: number,
    readonly options: HarnessOptions,
  ) {
    const cookies = new GatewayCookies(['session']);
    const limits = Object.assign(new ConnectionLimits(), options.limits);
    this.live = new LiveSockets(limits.downloadIdleMs);
    const responseHeaders = new ResponseHeaders(cookies);
    this.#requestHeaders = new RequestHeaders({
      cookies,
      trustProxy: new TrustProxy([]),
      credentialHeaders: ['x-admin-key'],
      adminKey: 'the-admin-key-of-the-harness',
      isGatewayToken: (token) => token.startsWith('slu_'),
      via: new Via('harness'),
    });
    this.forwarder = new Forwarder({
      clock,
      responseHeaders,
      uploadIdleMs: limits.uploadIdleMs,
      onDone: ({ error }) => this.#record(error),
    });
    this.#upgrader = new Upgrader({
      clock,
      responseHeaders,
      live: this.live,
      timeoutMs: options.upgradeTimeoutMs ?? 10_000,
      maxSocketsPerOwner: options.maxSocketsPerOwner ?? 500,
      maxSocketsPerRoute: options.maxSocketsPerRoute ?? 500,
      maxSocketsPerSlice: options.maxSocketsPerSlice ?? 500,
      onDone: (_req, _target, error) => this.#record(error),
    });
    this.#server = new EdgeServer(
      () => this,
      (_req, res) => res.end('application'),
      { clock, limits, onError: (cause) => this.outcomes.push(String(cause)) },
    );
  }

  static async start(
    upstream: { readonly port: number },
    options: HarnessOptions = {},
  ): Promise<ProxyHarness> {
    const harness = new ProxyHarness(upstream.port, options);
    harness.#server.server.listen(0, '127.0.0.1');
    await once(harness.#server.server, 'listening');
    return harness;
  }

  get port(): number {
    return portOf(this.#server.server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  request(req: IncomingMessage, res: ServerResponse): boolean {
    assignRequestId(req, false);
    const origin = `http://127.0.0.1:${this.upstreamPort}`;
    const target = {
      origin,
      path: req.url ?? '/',
      timeoutMs: this.options.timeoutMs ?? 30_000,
      compress: this.options.compress ?? false,
      limit: { key: origin, max: this.options.maxInFlight ?? 256, code: 'SLICE_BUSY' },
      lane: this.options.lane ?? null,
    } as const;
    this.forwarder.forward(req, res, target, this.#headersOf(req));
    return true;
  }

  upgrade(req: IncomingMessage, _socket: Duplex, head: Buffer): void {
    assignRequestId(req, false);
    const lane = this.options.lane ?? null;
    const target = {
      host: '127.0.0.1',
      port: this.upstreamPort,
      tls: false,
      lane,
      path: req.url ?? '/',
      // Each path a route of its own.
      limit: { key: req.url ?? '/', code: lane === null ? 'SLICE_BUSY' : 'UPSTREAM_BUSY' },
    } as const;
    this.#upgrader.upgrade(req, head, target, this.#headersOf(req), OWNER);
  }

  drain(deadlineMs: number): Promise<void> {
    return this.live.drain(deadlineMs);
  }

  /** Stops as the gateway does. */
  close(deadlineMs: number): Promise<void> {
    return this.#server.close(deadlineMs);
  }

  /** The first outcome, as soon as there is one. */
  async outcome(): Promise<string | null> {
    if (this.outcomes.length === 0) await new Promise<void>((resolve) => this.#awaitsOutcome.push(resolve));
    return this.outcomes[0] ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0);
    await this.forwarder.destroy();
  }

  #headersOf(req: IncomingMessage): string[] {
    return this.#requestHeaders.forUpstream(req, {
      identity: IDENTITY,
      requestId: requestIdOf(req),
      forwardAuthorization: true,
      host: null,
    });
  }

  #record(error: ProxyError | null): void {
    this.outcomes.push(error === null ? null : error.code);
    for (const resolve of this.#awaitsOutcome) resolve();
    this.#awaitsOutcome = [];
  }
}
