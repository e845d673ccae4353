import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isPreflight } from '#auth';
import { assignRequestId, Clock, CoreError, DomainError, OpenStreams, ProxyError, TrustProxy } from '#common';
import { LiveSockets } from '../forward/live-sockets.js';
import { clientScheme } from '../headers/forwarded.js';
import { Via } from '../headers/via.js';
import { answerError, answerOptions, refuseUpgrade } from '../http/answer.js';
import type { EdgeHandler } from '../http/edge-server.js';
import { isAmbiguous, type RequestPath } from '../http/path.js';
import { asksTheGatewayItself, refuseUpgradeRequest, screenRequest } from '../http/refusals.js';
import type { Route } from '../routing/route.js';
import { Routes } from '../routing/routes.js';
import { Admission } from './admission.js';
import { Cors } from './cors.js';
import { FailureReport } from './failure-report.js';
import { ForwardedWarning } from './forwarded-warning.js';
import { Passage } from './passage.js';
import { RequestCount } from './request-count.js';
import { answerStartingPage, isNavigation } from './starting-page.js';

/**
 * Decides once about every request, before any framework sees it: refuse, leave to our own endpoints, or proxy. HTTP
 * and WebSocket upgrades share each step up to the last.
 */
@Injectable()
export class Edge implements EdgeHandler {
  private readonly forwardedWarning = new ForwardedWarning();
  private draining = false;

  constructor(
    private readonly routes: Routes,
    private readonly admission: Admission,
    private readonly passage: Passage,
    private readonly cors: Cors,
    private readonly failures: FailureReport,
    private readonly trustProxy: TrustProxy,
    private readonly via: Via,
    private readonly live: LiveSockets,
    private readonly streams: OpenStreams,
    private readonly count: RequestCount,
    private readonly clock: Clock,
  ) {}

  request(req: IncomingMessage, res: ServerResponse): boolean {
    const trusted = this.identify(req);
    const path = screenRequest(req);
    if (path instanceof ProxyError) {
      this.refuse(req, res, null, path);
      return true;
    }
    if (asksTheGatewayItself(req)) {
      answerOptions(req, res);
      return true;
    }
    const route = this.routeOf(req, path, trusted);
    if (route instanceof ProxyError) {
      this.refuse(req, res, null, route);
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
    const trusted = this.identify(req);
    const refuse = (error: DomainError): void => {
      this.count.refused(req, error);
      refuseUpgrade(req, socket, error, this.clock.now());
    };
    const screened = this.screenUpgrade(req, trusted);
    if (screened instanceof DomainError) {
      refuse(screened);
      return;
    }
    const { path, route } = screened;
    this.count.begin(req, route);
    this.admission.admit(
      req,
      path.path,
      route,
      (caller) => {
        if (socket.destroyed) return;
        // One who was still being looked up when the drain began would outlive the drain.
        const error = this.draining
          ? shuttingDown()
          : this.passage.upgrade(req, socket, head, path, route, caller);
        if (error !== null) refuse(error);
      },
      (thrown) => refuse(this.failures.explain(req, thrown)),
      true,
    );
  }

  drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    this.streams.endAll();
    return this.live.drain(deadlineMs);
  }

  /** @returns whether the peer is a proxy whose word counts */
  private identify(req: IncomingMessage): boolean {
    const trusted = this.trustProxy.trusts(req.socket.remoteAddress);
    if (!trusted) this.forwardedWarning.observe(req);
    assignRequestId(req, trusted);
    return trusted;
  }

  private proxy(req: IncomingMessage, res: ServerResponse, path: RequestPath, route: Route): void {
    this.count.begin(req, route);
    const loop = this.via.refuseReturn(req);
    if (loop !== null) {
      this.refuse(req, res, route, loop);
      return;
    }
    // A preflight carries no credential, so nobody's slice could answer it.
    if (isPreflight(req.method, req.headers)) {
      this.cors.answerPreflight(req, res, route);
      this.count.answered(req, res);
      return;
    }
    this.admission.admit(
      req,
      path.path,
      route,
      (caller) => {
        // The client may have gone while it was looked up; its close would never be heard.
        if (res.closed) return;
        const error = this.passage.forward(req, res, path, route, caller);
        if (error !== null) this.refuse(req, res, route, error);
      },
      (thrown) => this.refuse(req, res, route, this.failures.explain(req, thrown)),
      false,
    );
  }

  /** Both readings of a path are looked up in one table: another one may be in force a moment later. */
  private routeOf(req: IncomingMessage, path: RequestPath, trusted: boolean): Route | null | ProxyError {
    const table = this.routes.current;
    const { host } = req.headers;
    const secure = table.asksForScheme && clientScheme(req, trusted) === 'https';
    const route = table.match(req.method, path.path, host, secure);
    if (path.readings.length === 0) return route;
    const ambiguous = isAmbiguous(path, (candidate) => table.match(req.method, candidate, host, secure));
    return ambiguous ? ambiguousPath() : route;
  }

  private screenUpgrade(
    req: IncomingMessage,
    trusted: boolean,
  ): { readonly path: RequestPath; readonly route: Route } | DomainError {
    const path = screenRequest(req);
    if (path instanceof ProxyError) return path;
    const refusal = refuseUpgradeRequest(req);
    if (refusal !== null) return refusal;
    const route = this.routeOf(req, path, trusted);
    if (route instanceof ProxyError) return route;
    if (route === null) return new CoreError('NOT_FOUND', 'There is nothing to connect to at this path.');
    return this.via.refuseReturn(req) ?? { path, route };
  }

  private refuse(req: IncomingMessage, res: ServerResponse, route: Route | null, error: DomainError): void {
    this.count.refused(req, error);
    if (error.code === 'SLICE_STARTING' && isNavigation(req)) {
      answerStartingPage(req, res, error);
      return;
    }
    if (route !== null && !res.headersSent) this.cors.add(req, res, route);
    answerError(req, res, error, this.clock.now());
  }
}

function ambiguousPath(): ProxyError {
  return new ProxyError(
    'BAD_REQUEST',
    'The path can be read in two ways. Send it without //, ; and %2f, and letters as they are.',
  );
}

function shuttingDown(): CoreError {
  return new CoreError('SHUTTING_DOWN', 'The gateway is stopping. Connect again in a moment.', {
    retryAfterSeconds: 1,
  });
}
