import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FileSettings, MappingSettings, RoutePolicy, RouteSettings, WorkerSettings } from '#config';
import { compileRoutes } from './compile.js';
import { rewritten, type Route } from './route.js';
import type { RouteTable } from './route-table.js';

const POLICY: RoutePolicy = {
  auth: ['none'],
  tokenRoute: null,
  forwardAuthorization: true,
  preserveHost: false,
  timeoutMs: 30_000,
  rateLimit: null,
  maxInFlight: 1000,
  compress: false,
};

const NOTHING: FileSettings = {
  defaultBackend: null,
  allowedOrigins: [],
  mappings: [],
  routes: [],
  pools: [],
  workers: [],
  guestRoutes: [],
  appMetrics: [],
};

function service(id: string, path: string, more: Partial<RouteSettings> = {}): RouteSettings {
  const target = { kind: 'url', url: `http://${id}` } as const;
  return {
    ...POLICY,
    id,
    kind: 'service',
    host: null,
    path,
    rewrite: 'strip-prefix',
    target,
    healthPath: '/health',
    ...more,
  };
}

function mapping(id: string, more: Partial<MappingSettings>): MappingSettings {
  const { frontendHost = 'app.example.com', frontendPort = null, pathPrefix = null } = more;
  return {
    ...POLICY,
    auth: ['session'],
    id,
    frontendHost,
    frontendPort,
    pathPrefix,
    backend: `http://${id}`,
  };
}

function worker(method: string, path: string): WorkerSettings {
  return { method, path, pool: 'input', upstreamPath: '/target', workerTypes: null, timeoutMs: 30_000 };
}

const targets = { single: () => nowhere, get: () => nowhere };
const nowhere = { pick: () => never(), another: () => null, report: () => undefined };
function never(): never {
  throw new Error('No request is sent');
}

function tableOf(settings: Partial<FileSettings>): RouteTable {
  const fixed = { slicePaths: ['/api', '/socket.io', '/app'], ownPaths: ['/signed-in'] };
  return compileRoutes({ ...NOTHING, ...settings }, fixed, targets);
}

/** `service:kira`, `slice:/api`; null for what is our own or nobody's. */
function nameOf(route: Route | null): string | null {
  if (route === null) return null;
  return route.kind === 'slice' ? `slice:${route.prefix}` : `${route.source}:${route.id}`;
}

function at(table: RouteTable, path: string, host = 'app.example.com', method = 'GET', secure = false) {
  return nameOf(table.match(method, path, host, secure));
}

describe('the route table', () => {
  const table = tableOf({
    defaultBackend: 'http://default',
    routes: [
      service('auth', '/api/auth'),
      service('kira', '/api/kira'),
      service('kira-deep', '/api/kira/deep/er'),
      service('elsewhere', '/api/kira', { host: 'kira.example.com' }),
      service('site', '/', { host: 'www.example.com' }),
    ],
    mappings: [
      mapping('m-host', {}),
      mapping('m-prefix', { pathPrefix: '/v2' }),
      mapping('m-port', { frontendHost: 'api.example.com', frontendPort: 443 }),
      mapping('m-later', { pathPrefix: '/v2/x' }),
    ],
    workers: [worker('GET', '/api/gateway/target'), worker('POST', '/jobs/done')],
  });

  it.each([
    // 1: our own, and the paths of workers
    ['/auth/login', null],
    ['/admin', null],
    ['/api/gateway/stats', null],
    ['/api/apikeys/list', null],
    ['/signed-in', null],
    ['/api/gateway/target', 'worker:GET /api/gateway/target'],
    ['/jobs/done', null],
    ['/health', null],
    ['/health/kira', 'health:kira'],
    ['/health/nobody', null],
    // 2: by the longest path, on the boundaries of segments
    ['/api/auth/login', 'service:auth'],
    ['/api/kira', 'service:kira'],
    ['/api/kira/', 'service:kira'],
    ['/api/kira/deep', 'service:kira'],
    ['/api/kira/deep/er', 'service:kira-deep'],
    ['/api/kira/deep/er/x', 'service:kira-deep'],
    ['/api/kira/deep/erx', 'service:kira'],
    ['/api/kirax', 'mapping:m-host'],
    // 3: the mapping with a path, then the one of the host
    ['/api/v2/x', 'mapping:m-prefix'],
    ['/api/v2', 'mapping:m-prefix'],
    ['/api/v2x', 'mapping:m-host'],
    ['/api', 'mapping:m-host'],
    // 4 and 6
    ['/socket.io/', 'slice:/socket.io'],
    ['/apix', null],
    ['/', null],
    ['/index.html', null],
  ])('leads %s to %s', (path, name) => {
    expect(at(table, path)).toBe(name);
  });

  it.each([
    ['another host has its own route of a path', '/api/kira', 'kira.example.com', 'service:elsewhere'],
    ['whatever its case and port', '/api/kira', 'KIRA.example.com:8080', 'service:elsewhere'],
    ['a longer path wins over a host', '/api/kira/deep/er', 'kira.example.com', 'service:kira-deep'],
    ['a host can have all that is nobody else’s', '/anything/at/all', 'www.example.com', 'service:site'],
    ['but nothing of our own', '/auth/login', 'www.example.com', null],
    ['and nothing on other hosts', '/anything', 'other.example.com', null],
    ['slices are where no mapping is', '/api/x', 'other.example.com', 'slice:/api'],
    ['without a Host as well', '/api/x', '', 'slice:/api'],
  ])('knows hosts: %s', (_what, path, host, name) => {
    expect(at(table, path, host)).toBe(name);
  });

  it.each([
    ['api.example.com:443', false, 'mapping:m-port'],
    ['api.example.com', true, 'mapping:m-port'],
    ['api.example.com', false, 'slice:/api'],
    ['api.example.com:80', true, 'slice:/api'],
    ['[::1]:443', false, 'slice:/api'],
  ])('takes a missing port for the scheme’s: %s, https %s', (host, secure, name) => {
    expect(at(table, '/api/x', host, 'GET', secure)).toBe(name);
  });

  it('tells the paths of workers by their method, HEAD with GET', () => {
    expect(at(table, '/api/gateway/target', '', 'HEAD')).toBe('worker:GET /api/gateway/target');
    expect(at(table, '/api/gateway/target', '', 'POST')).toBeNull();
    expect(at(table, '/jobs/done', '', 'POST')).toBe('worker:POST /jobs/done');
  });

  it('knows where customers without a slice go', () => {
    const slice = table.match('GET', '/api/x', 'other.example.com', false);
    const socket = table.match('GET', '/socket.io/', '', false);
    expect(slice?.kind === 'slice' && nameOf(slice.withoutSlice)).toBe('default:defaultBackend');
    expect(socket?.kind === 'slice' && socket.withoutSlice).toBeNull();
  });

  it('reads a path of many segments no further than its deepest route', () => {
    const path = `/api/kira${'/x'.repeat(4_000)}`;
    expect(at(table, path)).toBe('service:kira');
  });

  it('explains what it decides, whatever is asked', () => {
    const segments = [
      'api',
      'kira',
      'deep',
      'er',
      'v2',
      'x',
      'auth',
      'health',
      'gateway',
      'target',
      'app',
      'jobs',
      'done',
    ];
    const question = fc.tuple(
      fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
      fc.array(fc.constantFrom(...segments), { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
      fc.constantFrom('app.example.com', 'kira.example.com', 'www.example.com', 'api.example.com:443', 'x'),
      fc.boolean(),
    );
    const own = new Set(["Sluice's own endpoints", 'static files, else nothing']);
    fc.assert(
      fc.property(question, ([method, path, host, secure]) => {
        const { route, rule } = table.explain(method, path, host, secure);
        expect(route).toBe(table.match(method, path, host, secure));
        expect(route === null).toBe(own.has(rule));
        const source = route === null ? null : route.kind === 'slice' ? 'slice' : route.source;
        expect(RULES[rule]).toContain(source);
      }),
    );
  });
});

const RULES: Record<string, (string | null)[]> = {
  "workers' paths": ['worker'],
  'health of a service': ['health'],
  "Sluice's own endpoints": [null],
  'routes and services, the longest path first': ['route', 'service'],
  'mappings, for /api': ['mapping'],
  'slice paths': ['slice'],
  'defaultBackend, for /api': ['default'],
  'static files, else nothing': [null],
};

describe('the path that an upstream gets', () => {
  it.each([
    ['strip-prefix', '/build', '/build/x/y', '/x/y'],
    ['strip-prefix', '/build', '/build', '/'],
    ['strip-prefix', '/build', '/build/', '/'],
    ['strip-prefix', '/', '/x', '/x'],
    ['preserve', '/build', '/build/x', '/build/x'],
    ['strip-api', '/api/v1', '/api/v1/users', '/v1/users'],
  ] as const)('by %s of %s is, of %s, %s', (rewrite, prefix, path, expected) => {
    const table = tableOf({ routes: [service('it', prefix, { rewrite })] });
    const route = table.match('GET', path, '', false);
    expect(route?.kind === 'upstream' && rewritten(path, route.rewrite)).toBe(expected);
  });

  it('of a mapping lacks /api, and keeps the prefix that matched', () => {
    const table = tableOf({ mappings: [mapping('m', { pathPrefix: '/v2' })] });
    const route = table.match('GET', '/api/v2/users', 'app.example.com', false);
    expect(route?.kind === 'upstream' && rewritten('/api/v2/users', route.rewrite)).toBe('/v2/users');
  });

  it('of a worker, and of the health of a service, is the one that stands in config.yml', () => {
    const table = tableOf({ routes: [service('kira', '/kira')], workers: [worker('GET', '/jobs')] });
    for (const [path, expected] of [
      ['/jobs', '/target'],
      ['/health/kira', '/health'],
    ] as const) {
      const route = table.match('GET', path, '', false);
      expect(route?.kind === 'upstream' && rewritten(path, route.rewrite)).toBe(expected);
    }
  });
});
