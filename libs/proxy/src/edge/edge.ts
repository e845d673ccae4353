import { Injectable, Logger } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AllowedOrigins, corsHeaders, csrfRejected, csrfVerdict, isPreflight, preflightHeaders } from '#auth';
import {
  assignRequestId,
  Clock,
  CoreError,
  DomainError,
  ErrorTranslator,
  logFailure,
  ProxyError,
  requestIdOf,
  toDomainError,
  TrustProxy,
} from '#common';
import { Forwarder } from '../forward/forwarder.js';
import { LiveSockets } from '../forward/live-sockets.js';
import { Upgrader } from '../forward/upgrader.js';
import { RequestHeaders } from '../headers/request-headers.js';
import { answerEmpty, answerError, answerOptions, refuseUpgrade } from '../http/answer.js';
import type { EdgeHandler } from '../http/edge-server.js';
import { isAmbiguous, type RequestPath } from '../http/path.js';
import { asksTheGatewayItself, refuseUpgradeRequest, screenRequest } from '../http/refusals.js';
import { answerStartingPage, isNavigation } from './starting-page.js';
import { ForwardedWarning } from './forwarded-warning.js';
import { LogThrottle } from './log-throttle.js';
import { RouteTable, type Route } from './route-table.js';
import { SessionGate } from './session-gate.js';
import type { Visitor } from './visitor.js';

/**
 * Decides once about every request, before any framework sees it: refuse, leave to our own endpoints, or proxy. HTTP
 * and WebSocket upgrades share each step up to the last.
 */
@Injectable()
export class Edge implements EdgeHandler {
  private readonly logger = new Logger(Edge.name);
  private readonly logThrottle: LogThrottle;
  private readonly forwardedWarning = new ForwardedWarning();
  private draining = false;

  constructor(
    private readonly routes: RouteTable,
    private readonly gate: SessionGate,
    private readonly origins: AllowedOrigins,
    private readonly trustProxy: TrustProxy,
    private readonly requestHeaders: RequestHeaders,
    private readonly forwarder: Forwarder,
    private readonly upgrader: Upgrader,
    private readonly live: LiveSockets,
    private readonly clock: Clock,
    private readonly translator: ErrorTranslator,
  ) {
    this.logThrottle = new LogThrottle(clock);
  }

  request(req: IncomingMessage, res: ServerResponse): boolean {
    this.identify(req);
    const path = screenRequest(req);
    if (path instanceof ProxyError) {
      this.refuse(req, res, path);
      return true;
    }
    if (asksTheGatewayItself(req)) {
      answerOptions(req, res);
      return true;
    }
    const route = this.routes.match(path.path);
    if (this.readsInTwoWays(path)) {
      this.refuse(req, res, ambiguousPath());
      return true;
    }
    if (route === null) {
      req.url = path.path + path.search;
      return false;
    }
    this.proxy(req, res, path, route);
    return true;
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.identify(req);
    const path = this.screenUpgrade(req);
    if (path instanceof DomainError) {
      refuseUpgrade(req, socket, path, this.clock.now());
      return;
    }
    this.admit(
      req,
      (visitor) => {
        if (this.isForged(req, true)) refuseUpgrade(req, socket, csrfRejected(), this.clock.now());
        else this.forwardUpgrade(req, socket, head, path, visitor);
      },
      (error) => refuseUpgrade(req, socket, error, this.clock.now()),
    );
  }

  drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    return this.live.drain(deadlineMs);
  }

  private identify(req: IncomingMessage): void {
    const trusted = this.trustProxy.trusts(req.socket.remoteAddress);
    if (!trusted) this.forwardedWarning.observe(req);
    assignRequestId(req, trusted);
  }

  private proxy(req: IncomingMessage, res: ServerResponse, path: RequestPath, route: Route): void {
    const { origin } = req.headers;
    // A preflight carries no cookie, so nobody's slice could answer it.
    if (isPreflight(req.method, req.headers)) {
      answerEmpty(req, res, { ...preflightHeaders(origin, this.origins), vary: 'Origin' });
      return;
    }
    this.admit(
      req,
      (visitor) => {
        // Only now: without a session there is nothing to forge, and the answer is 401.
        if (this.isForged(req, false)) this.refuse(req, res, csrfRejected());
        else this.forward(req, res, path, route, visitor);
      },
      (error) => this.refuse(req, res, error),
    );
  }

  /** Without a promise where the visitor is known: that is the hot path. */
  private admit(
    req: IncomingMessage,
    admitted: (visitor: Visitor) => void,
    refused: (error: DomainError) => void,
  ): void {
    try {
      const lookedUp = this.gate.admit(req, admitted);
      lookedUp?.catch((error: unknown) => refused(this.explain(req, error)));
    } catch (error) {
      refused(this.explain(req, error));
    }
  }

  private forward(
    req: IncomingMessage,
    res: ServerResponse,
    path: RequestPath,
    route: Route,
    visitor: Visitor,
  ): void {
    // The client may have gone while its session was looked up; its close would never be heard.
    if (res.closed) return;
    this.gate.keepAlive(req, visitor, res);
    const { upstream } = visitor;
    if (upstream instanceof ProxyError) {
      this.refuse(req, res, upstream);
      return;
    }
    const target = { origin: upstream.origin, path: this.pathFor(req, path), timeoutMs: route.timeoutMs };
    this.addCors(req, res);
    this.forwarder.forward(req, res, target, this.headersFor(req, visitor));
  }

  private forwardUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    path: RequestPath,
    visitor: Visitor,
  ): void {
    const { upstream, principal } = visitor;
    if (socket.destroyed) return;
    this.gate.keepAlive(req, visitor, socket);
    // One whose session was still being looked up when the drain began would outlive the drain.
    if (upstream instanceof ProxyError || this.draining) {
      const error = upstream instanceof ProxyError ? upstream : shuttingDown();
      refuseUpgrade(req, socket, error, this.clock.now());
      return;
    }
    const target = { host: upstream.host, port: upstream.port, path: this.pathFor(req, path) };
    const owner = {
      sessionKey: principal.sessionHash,
      sessionExpiresAt: principal.expiresAt,
      userId: principal.user.id,
      sliceId: upstream.sliceId,
    };
    this.upgrader.upgrade(req, head, target, this.headersFor(req, visitor), owner);
  }

  private pathFor(req: IncomingMessage, { path, search }: RequestPath): string {
    return search === '' ? path : path + this.requestHeaders.queryForUpstream(search, req);
  }

  private headersFor(req: IncomingMessage, visitor: Visitor): string[] {
    return this.requestHeaders.forUpstream(req, {
      identity: visitor.identity,
      requestId: requestIdOf(req),
      forwardAuthorization: true,
    });
  }

  private screenUpgrade(req: IncomingMessage): RequestPath | DomainError {
    const path = screenRequest(req);
    if (path instanceof ProxyError) return path;
    const refusal = refuseUpgradeRequest(req);
    if (refusal !== null) return refusal;
    if (this.readsInTwoWays(path)) return ambiguousPath();
    if (this.routes.match(path.path) === null) {
      return new CoreError('NOT_FOUND', 'There is nothing to connect to at this path.');
    }
    return path;
  }

  private readsInTwoWays(path: RequestPath): boolean {
    return isAmbiguous(path, (candidate) => this.routes.match(candidate));
  }

  /** On a slice path the browser's cookie authenticates, so it matters whose page it was sent from. */
  private isForged(req: IncomingMessage, upgrade: boolean): boolean {
    const { origin, referer, 'sec-fetch-site': site } = req.headers;
    const from = {
      method: req.method ?? '',
      origin,
      referer,
      secFetchSite: site,
      upgrade,
    };
    return csrfVerdict(from, (candidate) => this.origins.allows(candidate)) === 'rejected';
  }

  private refuse(req: IncomingMessage, res: ServerResponse, error: DomainError): void {
    if (error.code === 'SLICE_STARTING' && isNavigation(req)) {
      answerStartingPage(req, res, error);
      return;
    }
    if (!res.headersSent) this.addCors(req, res);
    answerError(req, res, error, this.clock.now());
  }

  /** Set on the response beforehand: what an upstream sets of the same name takes its place. */
  private addCors(req: IncomingMessage, res: ServerResponse): void {
    const { origin } = req.headers;
    if (origin === undefined) return;
    for (const [name, value] of Object.entries(corsHeaders(origin, this.origins))) res.setHeader(name, value);
    res.setHeader('vary', 'Origin');
  }

  /** An outage, or a flood of cookies, meets every request alike: once a second is enough to tell of it. */
  private explain(req: IncomingMessage, thrown: unknown): DomainError {
    const error = toDomainError(thrown, this.translator);
    const repeats = error.code === 'DATABASE_UNAVAILABLE';
    if (!repeats || this.logThrottle.admits(error.code)) logFailure(this.logger, error, requestIdOf(req));
    return error;
  }
}

function ambiguousPath(): ProxyError {
  return new ProxyError('BAD_REQUEST', 'The path can be read in two ways. Send it without // and %2f.');
}

function shuttingDown(): CoreError {
  return new CoreError('SHUTTING_DOWN', 'The gateway is stopping. Connect again in a moment.', {
    retryAfterSeconds: 1,
  });
}
