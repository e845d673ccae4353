import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { type DomainError, errorCode, Metrics, type ProxyError, type RequestMeter, statusOf } from '#common';
import type { ForwardTarget } from '../forward/forward-target.js';
import type { Route, UpstreamRoute } from '../routing/route.js';

const BEGUN = Symbol('sluice.begun');
const ROUTE = Symbol('sluice.route');

const ANSWERING = Symbol('sluice.answering');

type CountedRequest = IncomingMessage & { [BEGUN]?: number; [ROUTE]?: Route; [ANSWERING]?: true };

/** Null for a slice, as {@link ForwardTarget} has it. */
type Forwarded = Pick<ForwardTarget, 'lane'>;

const SWITCHING_PROTOCOLS = 101;

/** In the words of whoever reads a dashboard; what is not here is `other`. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UPSTREAM_CLOSED: 'closed',
  UPSTREAM_STALE: 'closed',
  UPSTREAM_BROKE_HTTP: 'protocol',
  ENOTFOUND: 'unknown_host',
  EAI_AGAIN: 'unknown_host',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/**
 * Counts what is proxied and what is refused at the edge. On the hot path it makes nothing and waits for nothing: two
 * marks on the request at its beginning, a few additions at the head and at the end of its answer.
 */
@Injectable()
export class RequestCount {
  private readonly meters = new WeakMap<Route, RequestMeter>();
  private readonly nowhere: RequestMeter;

  constructor(private readonly metrics: Metrics) {
    this.nowhere = metrics.requests.of('none', 'none');
  }

  begin(req: CountedRequest, route: Route): void {
    req[BEGUN] = performance.now();
    req[ROUTE] = route;
  }

  /** Nothing was forwarded. */
  refused(req: IncomingMessage, { code }: DomainError): void {
    this.count(req, null, statusOf(code));
  }

  /** Answered by the edge itself. */
  answered(req: IncomingMessage, { statusCode }: ServerResponse): void {
    this.count(req, null, statusCode);
  }

  /** The head of the answer is there; the rest may take as long as it is meant to. */
  answering(req: CountedRequest, target: Forwarded): void {
    req[ANSWERING] = true;
    this.meterOf(req[ROUTE], target).head(secondsOf(req));
  }

  forwarded(req: CountedRequest, target: Forwarded, statusCode: number, error: ProxyError | null): void {
    // Whoever waited for nothing has waited all the same.
    if (req[ANSWERING] === undefined) this.answering(req, target);
    this.count(req, target, error === null ? statusCode : statusOf(error.code));
    if (error !== null) this.failed(req, target, error);
  }

  upgraded(req: IncomingMessage, target: Forwarded, error: ProxyError | null): void {
    this.forwarded(req, target, SWITCHING_PROTOCOLS, error);
  }

  private count(req: CountedRequest, target: Forwarded | null, status: number): void {
    this.meterOf(req[ROUTE], target).count(req.method, status, secondsOf(req));
  }

  private failed(req: CountedRequest, target: Forwarded, error: ProxyError): void {
    if (error.code !== 'BAD_GATEWAY' && error.code !== 'GATEWAY_TIMEOUT') return;
    const reason =
      error.code === 'GATEWAY_TIMEOUT' ? 'timeout' : (REASONS[errorCode(error.cause) ?? ''] ?? 'other');
    this.metrics.upstreamErrors.inc({ target: this.meterOf(req[ROUTE], target).target, reason });
  }

  private meterOf(route: Route | undefined, target: Forwarded | null): RequestMeter {
    if (route === undefined) return this.nowhere;
    // A slice path can have led a customer without a slice elsewhere.
    const taken =
      route.kind === 'slice' && route.withoutSlice !== null && target !== null && target.lane !== null
        ? route.withoutSlice
        : route;
    return this.meters.get(taken) ?? this.made(taken);
  }

  private made(route: Route): RequestMeter {
    const meter =
      route.kind === 'slice'
        ? this.metrics.requests.of(route.prefix, 'slice')
        : this.metrics.requests.of(nameOf(route), route.source);
    this.meters.set(route, meter);
    return meter;
  }
}

/** As config.yml names it; a mapping has no name there, and is known by what it matches. */
function nameOf({ source, id, rule }: UpstreamRoute): string {
  return source === 'mapping' ? rule : id;
}

function secondsOf({ [BEGUN]: begun }: CountedRequest): number {
  return begun === undefined ? 0 : (performance.now() - begun) / 1000;
}
