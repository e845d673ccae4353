import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ProxyError, requestIdOf, TrustProxy } from '#common';
import { AppConfig } from '#config';
import type { ForwardTarget } from '../forward/forward-target.js';
import { Forwarder } from '../forward/forwarder.js';
import type { SocketOwner } from '../forward/live-sockets.js';
import { Upgrader } from '../forward/upgrader.js';
import { RequestHeaders } from '../headers/request-headers.js';
import type { RequestPath } from '../http/path.js';
import {
  type PathRewrite,
  rewritten,
  type Route,
  type SliceRoute,
  type UpstreamRoute,
} from '../routing/route.js';
import type { Upstream } from '../targets/upstream.js';
import { type AdmittedCaller, clientNameOf } from './caller.js';
import { Cors } from './cors.js';
import { SessionGate } from './session-gate.js';
import type { SliceUpstream } from './visitor.js';

/** Where one request goes in the end: to the slice of its visitor, or to an upstream of config.yml. */
type Way =
  | { readonly kind: 'slice'; readonly route: SliceRoute; readonly at: SliceUpstream }
  | { readonly kind: 'upstream'; readonly route: UpstreamRoute; readonly at: Upstream };

/** Sends an admitted request on its way: picks the upstream, makes its headers, and hands it to what forwards. */
@Injectable()
export class Passage {
  constructor(
    private readonly sessions: SessionGate,
    private readonly cors: Cors,
    private readonly requestHeaders: RequestHeaders,
    private readonly forwarder: Forwarder,
    private readonly upgrader: Upgrader,
    private readonly trustProxy: TrustProxy,
    private readonly config: AppConfig,
  ) {}

  /** Forwards the request and answers it; or gives why it can't, with nothing answered yet. */
  forward(
    req: IncomingMessage,
    res: ServerResponse,
    path: RequestPath,
    route: Route,
    caller: AdmittedCaller,
  ): ProxyError | null {
    if (caller.kind === 'visitor') this.sessions.keepAlive(req, caller, res);
    const way = wayOf(route, caller);
    if (way instanceof ProxyError) return way;
    const target = this.targetOf(req, path, way);
    this.cors.add(req, res, way.route);
    this.forwarder.forward(req, res, target, this.headersFor(req, way, caller, hostOf(target)));
    return null;
  }

  /** Forwards the upgrade and answers it; or gives why it can't, with nothing answered yet. */
  upgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    path: RequestPath,
    route: Route,
    caller: AdmittedCaller,
  ): ProxyError | null {
    if (caller.kind === 'visitor') this.sessions.keepAlive(req, caller, socket);
    const way = wayOf(route, caller);
    if (way instanceof ProxyError) return way;
    const target = this.targetOf(req, path, way);
    const headers = this.headersFor(req, way, caller, hostOf(target));
    const { host, port, tls } = way.at;
    this.upgrader.upgrade(req, head, { ...target, host, port, tls }, headers, this.ownerOf(req, caller, way));
    return null;
  }

  private targetOf(req: IncomingMessage, { path, search }: RequestPath, way: Way): ForwardTarget {
    const query = search === '' ? '' : this.requestHeaders.queryForUpstream(search, req);
    if (way.kind === 'slice') {
      const { origin } = way.at;
      const limit = { key: origin, max: this.config.slices.maxInFlight, code: 'SLICE_BUSY' } as const;
      const { timeoutMs } = way.route;
      return { origin, path: path + query, timeoutMs, compress: false, limit, lane: null };
    }
    const { countedAs, policy, target, rewrite } = way.route;
    const upstream = way.at;
    // By `Host` TLS chooses the certificate and checks it: a client must not.
    const hostOfUpstream = !policy.preserveHost || upstream.tls;
    const ownPath = hasQueryOfItsOwn(rewrite) ? rewrite.path : rewritten(path, rewrite) + query;
    return {
      origin: upstream.origin,
      path: upstream.basePath + ownPath,
      timeoutMs: policy.timeoutMs,
      compress: policy.compress,
      limit: { key: countedAs, max: policy.maxInFlight, code: 'UPSTREAM_BUSY' },
      lane: { target, upstream, path: ownPath, hostOfUpstream },
    };
  }

  /** @param host in place of the client's; null: as it is */
  private headersFor(req: IncomingMessage, way: Way, caller: AdmittedCaller, host: string | null): string[] {
    const tokenRoute = way.kind === 'slice' ? null : way.route.policy.tokenRoute;
    return this.requestHeaders.forUpstream(req, {
      identity: tokenRoute === null ? caller.identity : [...caller.identity, 'x-gateway-route', tokenRoute],
      requestId: requestIdOf(req),
      forwardAuthorization: way.kind === 'slice' || way.route.policy.forwardAuthorization,
      host,
    });
  }

  private ownerOf(req: IncomingMessage, caller: AdmittedCaller, way: Way): SocketOwner {
    const { principal } = caller;
    const session = principal?.kind === 'session' ? principal : null;
    const bearer = caller.kind === 'bearer' ? caller.principal : null;
    return {
      sessionKey: session?.sessionHash ?? null,
      expiresAt: session?.expiresAt ?? bearer?.expiresAt ?? null,
      userId: session?.user.id ?? (bearer?.kind === 'token' ? (bearer.user?.id ?? null) : null),
      apiKeyId: bearer?.kind === 'apiKey' ? bearer.id : null,
      sliceId: way.kind === 'slice' ? way.at.sliceId : null,
      countedAs: clientNameOf(req, caller, this.trustProxy),
    };
  }
}

/** Picks the upstream, or says why there is none. A slice path leads elsewhere for customers without a slice, where config.yml says so. */
function wayOf(route: Route, caller: AdmittedCaller): Way | ProxyError {
  if (route.kind === 'upstream') return wayToTarget(route);
  if (caller.kind !== 'visitor') throw new Error('A slice path admits nobody without a session');
  const { upstream } = caller;
  if (!(upstream instanceof ProxyError)) return { kind: 'slice', route, at: upstream };
  if (upstream.code !== 'NO_SLICE' || route.withoutSlice === null) return upstream;
  return wayToTarget(route.withoutSlice);
}

function wayToTarget(route: UpstreamRoute): Way | ProxyError {
  const at = route.target.pick();
  return at instanceof ProxyError ? at : { kind: 'upstream', route, at };
}

/** config.yml says the whole of it then, and a client has nothing to add. */
function hasQueryOfItsOwn(rewrite: PathRewrite): rewrite is Extract<PathRewrite, { kind: 'replace' }> {
  return rewrite.kind === 'replace' && rewrite.path.includes('?');
}

function hostOf({ lane }: ForwardTarget): string | null {
  return lane?.hostOfUpstream === true ? lane.upstream.authority : null;
}
