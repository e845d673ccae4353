import { Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  API_KEY_PREFIX,
  ApiKeyRevocations,
  GatewayTokens,
  HitCounter,
  LoginCookie,
  RedisConnection,
  SessionCookie,
  SessionRevocations,
  SessionStore,
} from '#auth';
import { Clock, sameSecret, TrustProxy } from '#common';
import { AppConfig } from '#config';
import { ControlConnection } from '#database';
import { InstallationId, SliceDirectory } from '#orchestrator';
import { Admission } from './edge/admission.js';
import { Cors } from './edge/cors.js';
import { Edge } from './edge/edge.js';
import { FailureReport } from './edge/failure-report.js';
import { Passage } from './edge/passage.js';
import { RequestCount } from './edge/request-count.js';
import { RouteGate } from './edge/route-gate.js';
import { SessionGate } from './edge/session-gate.js';
import { SocketGuard } from './edge/socket-guard.js';
import { UpstreamFailureLog } from './edge/upstream-failure-log.js';
import { originOf } from './edge/visitor.js';
import { VisitorCache } from './edge/visitor-cache.js';
import { Forwarder } from './forward/forwarder.js';
import { LiveSockets } from './forward/live-sockets.js';
import { Upgrader } from './forward/upgrader.js';
import { GatewayCookies } from './headers/cookies.js';
import { RequestHeaders } from './headers/request-headers.js';
import { ResponseHeaders } from './headers/response-headers.js';
import { Via } from './headers/via.js';
import { ConnectionLimits } from './http/connection-limits.js';
import { BackendProber, ProbeOptions } from './targets/backend-prober.js';
import { Backends } from './targets/backends.js';
import { PoolStore } from './targets/pool-store.js';
import { Pools } from './targets/pools.js';
import { RouteLimiter } from './limits/route-limiter.js';
import { Routes } from './routing/routes.js';

const UPGRADE_TIMEOUT_MS = 10_000;
/** Dozens of tabs with several sockets each; the gateway's file descriptors are everybody's. */
const MAX_SOCKETS_PER_OWNER = 500;
/** A route's clients may be many machines, none of them signed in: together they must not have all there are either. */
const MAX_SOCKETS_PER_ROUTE = 10_000;
/** The people of one customer, and less than a small app can hold. */
const MAX_SOCKETS_PER_SLICE = 1_000;

/** The edge with everything it stands on. What proxies knows no Nest; it is put together here. */
@Module({
  providers: [
    {
      provide: GatewayCookies,
      inject: [SessionCookie, LoginCookie],
      useFactory: (session: SessionCookie, login: LoginCookie) =>
        new GatewayCookies([...session.names], [login.prefix]),
    },
    {
      provide: Via,
      inject: [InstallationId],
      useFactory: ({ value }: InstallationId) => new Via(value),
    },
    {
      provide: RequestHeaders,
      inject: [GatewayCookies, TrustProxy, AppConfig, GatewayTokens, Via],
      useFactory: (
        cookies: GatewayCookies,
        trustProxy: TrustProxy,
        config: AppConfig,
        tokens: GatewayTokens,
        via: Via,
      ) =>
        new RequestHeaders({
          cookies,
          trustProxy,
          credentialHeaders: ['x-admin-key'],
          adminKey: config.admin.key,
          via,
          // The form of an API key alone tells it from an app's token.
          isGatewayToken: (token) =>
            token.startsWith(API_KEY_PREFIX) || tokens.isOurs(token) || sameSecret(token, config.admin.key),
        }),
    },
    {
      provide: ResponseHeaders,
      inject: [GatewayCookies],
      useFactory: (cookies: GatewayCookies) => new ResponseHeaders(cookies),
    },
    {
      provide: UpstreamFailureLog,
      inject: [Clock],
      useFactory: (clock: Clock) => new UpstreamFailureLog(clock),
    },
    {
      provide: Forwarder,
      inject: [Clock, ResponseHeaders, ConnectionLimits, UpstreamFailureLog, RequestCount],
      useFactory: (
        clock: Clock,
        responseHeaders: ResponseHeaders,
        limits: ConnectionLimits,
        failures: UpstreamFailureLog,
        count: RequestCount,
      ) =>
        new Forwarder({
          clock,
          responseHeaders,
          uploadIdleMs: limits.uploadIdleMs,
          onHead: (req, target) => count.answering(req, target),
          onDone: ({ req, res, target, error }) => {
            count.forwarded(req, target, res.statusCode, error);
            failures.record(req, target.origin, error);
          },
        }),
    },
    {
      provide: Upgrader,
      inject: [Clock, ResponseHeaders, LiveSockets, UpstreamFailureLog, RequestCount],
      useFactory: (
        clock: Clock,
        responseHeaders: ResponseHeaders,
        live: LiveSockets,
        failures: UpstreamFailureLog,
        count: RequestCount,
      ) =>
        new Upgrader({
          clock,
          responseHeaders,
          live,
          timeoutMs: UPGRADE_TIMEOUT_MS,
          maxSocketsPerOwner: MAX_SOCKETS_PER_OWNER,
          maxSocketsPerRoute: MAX_SOCKETS_PER_ROUTE,
          maxSocketsPerSlice: MAX_SOCKETS_PER_SLICE,
          onDone: (req, target, error) => {
            count.upgraded(req, target, error);
            failures.record(req, originOf(target.host, target.port), error);
          },
        }),
    },
    {
      provide: RouteLimiter,
      inject: [HitCounter, RedisConnection, Clock],
      useFactory: (shared: HitCounter, redis: RedisConnection | null, clock: Clock) =>
        new RouteLimiter(redis === null ? null : shared, clock),
    },
    {
      provide: SocketGuard,
      inject: [
        LiveSockets,
        SessionStore,
        SliceDirectory,
        SessionRevocations,
        ApiKeyRevocations,
        ControlConnection,
        Clock,
      ],
      useFactory: (...parts: ConstructorParameters<typeof SocketGuard>) => new SocketGuard(...parts),
    },
    {
      provide: LiveSockets,
      inject: [ConnectionLimits],
      useFactory: ({ downloadIdleMs }: ConnectionLimits) => new LiveSockets(downloadIdleMs),
    },
    ConnectionLimits,
    { provide: ProbeOptions, useValue: new ProbeOptions() },
    Backends,
    BackendProber,
    PoolStore,
    Pools,
    VisitorCache,
    SessionGate,
    RouteGate,
    Routes,
    Admission,
    Passage,
    Cors,
    RequestCount,
    FailureReport,
    Edge,
  ],
  exports: [Edge, Backends, BackendProber, LiveSockets, PoolStore, Pools, Routes],
})
export class ProxyModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly forwarder: Forwarder,
    private readonly sockets: SocketGuard,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.sockets.start();
  }

  /** By now the edge is drained: what is still in flight has had its time. */
  async onModuleDestroy(): Promise<void> {
    await this.sockets.stop();
    await this.forwarder.destroy();
  }
}
