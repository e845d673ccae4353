import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { assignRequestId, ProxyError, requestIdOf, SystemClock, TrustProxy } from '#common';
import {
  answerError,
  answerOptions,
  asksTheGatewayItself,
  EdgeServer,
  Forwarder,
  GatewayCookies,
  identityHeaders,
  LiveSockets,
  refuseUpgrade,
  refuseUpgradeRequest,
  RequestHeaders,
  ResponseHeaders,
  screenRequest,
  Upgrader,
  type EdgeHandler,
  type UpstreamIdentity,
} from '#proxy';

import { portOf } from './stub-upstream.js';

export interface HarnessOptions {
  readonly timeoutMs?: number;
  readonly uploadIdleMs?: number;
  readonly upgradeTimeoutMs?: number;
  readonly maxInFlightPerOrigin?: number;
  readonly maxSocketsPerUser?: number;
  readonly trustProxy?: readonly string[];
  readonly identity?: UpstreamIdentity;
  readonly forwardAuthorization?: boolean;
}

const clock = new SystemClock();
const OWNER = {
  sessionKey: 'session-1',
  sessionExpiresAt: new Date(8.64e15),
  userId: 'user-1',
  sliceId: 1,
};

/**
 * The mechanics of the proxy on a real port, with a decision that is always the same: every request goes to one
 * upstream, as one user. Sign-in and routes are none of its business.
 */
export class ProxyHarness implements EdgeHandler {
  readonly live = new LiveSockets();
  /** The code of every finished exchange, null for a success. */
  readonly outcomes: (string | null)[] = [];
  /** What the edge threw. */
  readonly defects: unknown[] = [];
  readonly forwarder: Forwarder;
  readonly #server: EdgeServer;
  readonly #requestHeaders: RequestHeaders;
  readonly #identity: readonly string[];
  readonly #upgrader: Upgrader;
  #awaitsOutcome: (() => void)[] = [];

  private constructor(
    readonly upstreamPort: number,
    readonly options: HarnessOptions,
  ) {
    const cookies = new GatewayCookies(['session']);
    const responseHeaders = new ResponseHeaders(cookies);
    this.#identity = identityHeaders(
      options.identity ?? { email: 'ada@example.com', subject: 'user-1', name: 'Ada' },
    );
    this.#requestHeaders = new RequestHeaders({
      cookies,
      trustProxy: new TrustProxy(options.trustProxy ?? []),
      credentialHeaders: ['x-admin-key'],
      isGatewayToken: (token) => token.startsWith('slu_'),
    });
    this.forwarder = new Forwarder({
      clock,
      responseHeaders,
      maxInFlightPerOrigin: options.maxInFlightPerOrigin ?? 256,
      uploadIdleMs: options.uploadIdleMs ?? 30_000,
      onDone: ({ error }) => this.#record(error),
    });
    this.#upgrader = new Upgrader({
      clock,
      responseHeaders,
      live: this.live,
      timeoutMs: options.upgradeTimeoutMs ?? 10_000,
      maxSocketsPerUser: options.maxSocketsPerUser ?? 500,
      onDone: (_req, _target, error) => this.#record(error),
    });
    this.#server = new EdgeServer(
      () => this,
      (_req, res) => res.end('application'),
      { clock, bodyTimeoutMs: 30_000, onError: (cause) => this.defects.push(cause) },
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
    const screened = screenRequest(req);
    if (screened instanceof ProxyError) {
      answerError(req, res, screened, clock.now());
    } else if (asksTheGatewayItself(req)) {
      answerOptions(req, res);
    } else {
      const target = {
        origin: `http://127.0.0.1:${this.upstreamPort}`,
        path: screened.path + screened.search,
        timeoutMs: this.options.timeoutMs ?? 30_000,
      };
      this.forwarder.forward(req, res, target, this.#headersOf(req));
    }
    return true;
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    assignRequestId(req, false);
    const screened = screenRequest(req);
    const refusal = screened instanceof ProxyError ? screened : refuseUpgradeRequest(req);
    if (refusal !== null || screened instanceof ProxyError) {
      refuseUpgrade(req, socket, refusal ?? new ProxyError('BAD_REQUEST', ''), clock.now());
      return;
    }
    const target = { host: '127.0.0.1', port: this.upstreamPort, path: screened.path + screened.search };
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
      identity: this.#identity,
      requestId: requestIdOf(req),
      forwardAuthorization: this.options.forwardAuthorization ?? true,
    });
  }

  #record(error: ProxyError | null): void {
    this.outcomes.push(error === null ? null : error.code);
    for (const resolve of this.#awaitsOutcome) resolve();
    this.#awaitsOutcome = [];
  }
}
