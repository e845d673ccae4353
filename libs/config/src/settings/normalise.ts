import type {
  FileSettings,
  MappingSettings,
  RouteAuth,
  RoutePolicy,
  RouteSettings,
  TargetSettings,
  WorkerSettings,
} from './file-settings.js';
import type {
  FileInput,
  MappingInput,
  PolicyInput,
  RouteInput,
  ServiceInput,
  WorkerInput,
} from './schema.js';
import type { SettingsPath } from './settings-fault.js';

const TIMEOUT_SECONDS = 30;
const MAX_IN_FLIGHT = 1000;
const HEALTH_PATH = '/health';

/** The two paths that workers have without a file. */
const WORKERS_OF_THEIR_OWN: readonly WorkerInput[] = [
  { method: 'GET', path: '/api/gateway/target', pool: 'input', upstreamPath: '/target' },
  { method: 'POST', path: '/api/gateway/result', pool: 'output', upstreamPath: '/result' },
];

/** A route, and where in the file it stands. */
export interface RoutePlace {
  readonly at: SettingsPath;
  readonly route: RouteSettings;
}

/** The routes of a file in its order, services after `routes:`; with what the environment says of their targets. */
export function routePlaces(input: FileInput, urlOf: (id: string) => string | undefined): RoutePlace[] {
  const routes = (input.routes ?? []).map((route, i) => ({
    at: ['routes', i],
    route: routeOf(route, urlOf(route.id)),
  }));
  const services = Object.entries(input.services ?? {}).map(([id, service]) => ({
    at: ['services', id],
    route: serviceOf(id, service, urlOf(id)),
  }));
  return [...routes, ...services];
}

/** Fills every default in. */
export function normalise(input: FileInput, routes: readonly RoutePlace[]): FileSettings {
  const workers = input.workers?.map(workerOf) ?? [];
  const isTaken = ({ method, path }: WorkerSettings): boolean =>
    workers.some((worker) => worker.method === method && worker.path === path);
  return {
    defaultBackend: input.defaultBackend ?? null,
    allowedOrigins: input.allowedOrigins ?? [],
    mappings: input.mappings?.map(mappingOf) ?? [],
    routes: routes.map(({ route }) => route),
    pools: Object.entries(input.pools ?? {}).map(([name, { backends = [], health = HEALTH_PATH }]) => ({
      name,
      backends,
      healthPath: health,
    })),
    workers: [...workers, ...WORKERS_OF_THEIR_OWN.map(workerOf).filter((worker) => !isTaken(worker))],
    guestRoutes: input.guest?.routes ?? ['build'],
    appMetrics: input.appMetrics ?? [],
  };
}

function routeOf(input: RouteInput, url: string | undefined): RouteSettings {
  const { id, host = null, path, rewrite = 'strip-prefix' } = input;
  const target = targetOf(input.pool, url ?? input.target);
  return {
    id,
    kind: 'route',
    host,
    path,
    rewrite,
    target,
    healthPath: null,
    ...policyOf(input, input.auth, id),
  };
}

function serviceOf(id: string, input: ServiceInput, url: string | undefined): RouteSettings {
  const { host = null, path, rewrite = 'strip-prefix', health: healthPath = HEALTH_PATH } = input;
  const target = targetOf(input.pool, url ?? input.url);
  const policy = policyOf(input, input.auth ?? ['none'], id);
  return { id, kind: 'service', host, path, rewrite, target, healthPath, ...policy };
}

function targetOf(pool: string | undefined, url: string | undefined): TargetSettings {
  return pool === undefined ? { kind: 'url', url: url ?? null } : { kind: 'pool', pool };
}

function mappingOf(input: MappingInput, index: number): MappingSettings {
  const { frontendHost, frontendPort = null, pathPrefix = null, backend } = input;
  const policy = policyOf(input, input.auth ?? ['session'], null);
  return { id: `mapping-${index + 1}`, frontendHost, frontendPort, pathPrefix, backend, ...policy };
}

/** @param ownTokenRoute whose tokens open it where it takes tokens and does not say whose */
function policyOf(input: PolicyInput, auth: readonly RouteAuth[], ownTokenRoute: string | null): RoutePolicy {
  const tokenRoute = takesTokens(auth) ? (input.tokenRoute ?? ownTokenRoute) : null;
  return {
    auth: [...new Set(auth)],
    tokenRoute,
    forwardAuthorization: input.forwardAuthorization ?? tokenRoute === null,
    preserveHost: input.preserveHost ?? false,
    timeoutMs: milliseconds(input.timeoutSeconds),
    rateLimit: input.rateLimit ?? null,
    maxInFlight: input.maxInFlight ?? MAX_IN_FLIGHT,
    compress: input.compress ?? false,
  };
}

export function takesTokens(auth: readonly RouteAuth[]): boolean {
  return auth.includes('token') || auth.includes('optionalToken');
}

function workerOf(input: WorkerInput): WorkerSettings {
  const { method = 'GET', path, pool, upstreamPath = path, workerTypes = null } = input;
  return { method, path, pool, upstreamPath, workerTypes, timeoutMs: milliseconds(input.timeoutSeconds) };
}

function milliseconds(seconds = TIMEOUT_SECONDS): number {
  return Math.round(seconds * 1000);
}
