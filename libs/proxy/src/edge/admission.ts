import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { AllowedOrigins, csrfRejected, csrfVerdict } from '#auth';
import { TrustProxy } from '#common';
import type { RateLimit } from '#config';
import { RouteLimiter } from '../limits/route-limiter.js';
import type { Route, UpstreamRoute } from '../routing/route.js';
import { type AdmittedCaller, clientNameOf } from './caller.js';
import { RouteGate } from './route-gate.js';
import { SessionGate } from './session-gate.js';

/** Whether a request may pass: who sends it, from whose page, and how often. HTTP and upgrades alike. */
@Injectable()
export class Admission {
  constructor(
    private readonly sessions: SessionGate,
    private readonly routes: RouteGate,
    private readonly origins: AllowedOrigins,
    private readonly limiter: RouteLimiter,
    private readonly trustProxy: TrustProxy,
  ) {}

  /**
   * Calls one of the two, once. Without a promise where the caller is known and nothing is counted: that is the hot path.
   * @param path normalised, without the query
   */
  admit(
    req: IncomingMessage,
    path: string,
    route: Route,
    admitted: (caller: AdmittedCaller) => void,
    refused: (thrown: unknown) => void,
    upgrade: boolean,
  ): void {
    const pass = (caller: AdmittedCaller): void => {
      // Only now: without a session there is nothing to forge, and the answer is 401.
      if (caller.kind === 'visitor' && this.isForged(req, upgrade)) refused(csrfRejected());
      else if (route.kind === 'slice' || route.policy.rateLimit === null) admitted(caller);
      else
        this.count(req, route, route.policy.rateLimit, caller)
          .then(() => admitted(caller))
          .catch(refused);
    };
    try {
      const lookedUp =
        route.kind === 'slice' ? this.sessions.admit(req, pass) : this.routes.admit(req, path, route, pass);
      lookedUp?.catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  /** Decided in memory: nothing but the request itself comes between. */
  private count(
    req: IncomingMessage,
    { countedAs }: UpstreamRoute,
    limit: RateLimit,
    caller: AdmittedCaller,
  ): Promise<void> {
    return this.limiter.admit(`${countedAs}:${clientNameOf(req, caller, this.trustProxy)}`, limit);
  }

  /** Where the browser's cookie authenticates it matters whose page sent the request. */
  private isForged(req: IncomingMessage, upgrade: boolean): boolean {
    const { origin, referer, 'sec-fetch-site': site } = req.headers;
    const from = { method: req.method ?? '', origin, referer, secFetchSite: site, upgrade };
    return csrfVerdict(from, (candidate) => this.origins.allows(candidate)) === 'rejected';
  }
}
