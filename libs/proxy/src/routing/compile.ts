import type { FileSettings, MappingSettings, Rewrite, RoutePolicy, RouteSettings } from '#config';
import { matchesPrefix } from '../http/path.js';
import type { Target } from '../targets/target.js';
import { MappingTable } from './mapping-table.js';
import { PrefixTable } from './prefix-table.js';
import type { PathRewrite, SliceRoute, UpstreamRoute } from './route.js';
import { API_PREFIX, RouteTable } from './route-table.js';

/** What leads elsewhere, whatever config.yml says. */
export interface FixedPaths {
  /** The paths that lead to the customer's slice. */
  readonly slicePaths: readonly string[];
  /** Single paths that are ours. */
  readonly ownPaths: readonly string[];
}

/** Gives the targets that routes name; the same one for the same name, so that what it knows outlives a table. */
export interface TargetSource {
  /** @param url null: it is not set, and every pick says so */
  single(url: string | null): Target;
  get(name: string): Target;
}

const TIMEOUT_MS = 30_000;
const MAX_IN_FLIGHT = 1000;

const BARE_POLICY: RoutePolicy = {
  auth: ['none'],
  tokenRoute: null,
  forwardAuthorization: true,
  preserveHost: false,
  timeoutMs: TIMEOUT_MS,
  rateLimit: null,
  maxInFlight: MAX_IN_FLIGHT,
  compress: false,
};

/** Makes the table of these settings. They are checked by then: nothing here can fail. */
export function compileRoutes(settings: FileSettings, fixed: FixedPaths, targets: TargetSource): RouteTable {
  const fallback = fallbackOf(settings, targets);
  return new RouteTable({
    ownPaths: new Set(fixed.ownPaths),
    workers: workersOf(settings, targets),
    health: healthOf(settings, targets),
    prefixes: prefixesOf(settings, targets),
    mappings: new MappingTable(
      settings.mappings.map((mapping) => ({ settings: mapping, route: mappingRoute(mapping, targets) })),
    ),
    slices: slicesOf(fixed.slicePaths, fallback),
    fallback,
  });
}

function slicesOf(paths: readonly string[], fallback: UpstreamRoute | null): SliceRoute[] {
  return paths
    .map((prefix): SliceRoute => ({
      kind: 'slice',
      prefix,
      timeoutMs: TIMEOUT_MS,
      withoutSlice: matchesPrefix(prefix, API_PREFIX) ? fallback : null,
    }))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
}

function prefixesOf({ routes }: FileSettings, targets: TargetSource): PrefixTable {
  const table = new PrefixTable();
  for (const settings of routes) {
    const { id, kind, path, host, rewrite } = settings;
    table.add(path, host, {
      ...route(kind, id, settings),
      rule: host === null ? `path ${path}` : `path ${path} on ${host}`,
      ...targetOf(settings, targets),
      rewrite: rewriteOf(rewrite, path),
    });
  }
  return table;
}

function mappingRoute(settings: MappingSettings, targets: TargetSource): UpstreamRoute {
  return {
    ...route('mapping', settings.id, settings, `mapping:${ruleOfMapping(settings)}`),
    rule: ruleOfMapping(settings),
    to: settings.backend,
    target: targets.single(settings.backend),
    rewrite: rewriteOf('strip-api', API_PREFIX),
  };
}

function fallbackOf({ defaultBackend }: FileSettings, targets: TargetSource): UpstreamRoute | null {
  if (defaultBackend === null) return null;
  return {
    ...route('default', 'defaultBackend', { ...BARE_POLICY, auth: ['session'] }),
    rule: 'path /api of whoever has no slice',
    to: defaultBackend,
    target: targets.single(defaultBackend),
    rewrite: rewriteOf('strip-api', API_PREFIX),
  };
}

function workersOf(
  { workers }: FileSettings,
  targets: TargetSource,
): Map<string, Map<string, UpstreamRoute>> {
  const byPath = new Map<string, Map<string, UpstreamRoute>>();
  for (const { method, path, pool, upstreamPath, workerTypes, timeoutMs } of workers) {
    const byMethod = byPath.get(path) ?? new Map<string, UpstreamRoute>();
    byMethod.set(method, {
      ...route('worker', `${method} ${path}`, { ...BARE_POLICY, auth: ['apiKey'], timeoutMs }),
      rule: `${method} ${path}`,
      to: `pool ${pool}`,
      target: targets.get(pool),
      rewrite: { kind: 'replace', path: upstreamPath },
      workerTypes,
    });
    byPath.set(path, byMethod);
  }
  return byPath;
}

function healthOf({ routes }: FileSettings, targets: TargetSource): Map<string, UpstreamRoute> {
  return new Map(
    routes.flatMap((settings): [string, UpstreamRoute][] => {
      const { id, healthPath, preserveHost, timeoutMs } = settings;
      if (healthPath === null) return [];
      const health: UpstreamRoute = {
        ...route('health', id, { ...BARE_POLICY, preserveHost, timeoutMs }),
        rule: `GET /health/${id}`,
        ...targetOf(settings, targets),
        rewrite: { kind: 'replace', path: healthPath },
      };
      return [[`/health/${id}`, health]];
    }),
  );
}

function route(
  source: UpstreamRoute['source'],
  id: string,
  policy: RoutePolicy,
  countedAs = `${source}:${id}`,
): Omit<UpstreamRoute, 'target' | 'to' | 'rule' | 'rewrite'> {
  return { kind: 'upstream', source, id, policy, countedAs, workerTypes: null };
}

function targetOf({ target }: RouteSettings, targets: TargetSource): Pick<UpstreamRoute, 'target' | 'to'> {
  if (target.kind === 'pool') return { target: targets.get(target.pool), to: `pool ${target.pool}` };
  return { target: targets.single(target.url), to: target.url ?? 'nowhere: its URL is not set' };
}

function ruleOfMapping({ frontendHost, frontendPort, pathPrefix }: MappingSettings): string {
  const port = frontendPort === null ? '' : `:${frontendPort}`;
  return `host ${frontendHost}${port}${pathPrefix === null ? '' : `, path /api${pathPrefix}`}`;
}

/** @param path of the route */
function rewriteOf(rewrite: Rewrite, path: string): PathRewrite {
  switch (rewrite) {
    case 'preserve':
      return { kind: 'preserve' };
    case 'strip-api':
      return { kind: 'strip', length: API_PREFIX.length };
    case 'strip-prefix':
      return path === '/' ? { kind: 'preserve' } : { kind: 'strip', length: path.length };
    default:
      return rewrite satisfies never;
  }
}
