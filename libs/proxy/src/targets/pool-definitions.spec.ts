import { describe, expect, it } from '@jest/globals';
import type { FileSettings, RouteSettings } from '#config';
import { definePools, watchedUrls } from './pool-definitions.js';

const policy = {
  auth: ['none'],
  tokenRoute: null,
  forwardAuthorization: true,
  preserveHost: false,
  timeoutMs: 30_000,
  rateLimit: null,
  maxInFlight: 1000,
  compress: false,
} as const;

const settings: FileSettings = {
  defaultBackend: 'http://default:4070',
  allowedOrigins: [],
  mappings: [
    {
      ...policy,
      id: 'mapping-1',
      frontendHost: 'app.example.com',
      frontendPort: null,
      pathPrefix: null,
      backend: 'http://mapped:8080/',
    },
  ],
  routes: [
    route('kira', 'service', 'http://kira:3010', '/healthz'),
    route('unset', 'service', null, '/health'),
    route('build', 'route', 'http://build:8080', null),
  ],
  pools: [],
  workers: [],
  guestRoutes: [],
  appMetrics: [],
};

function route(
  id: string,
  kind: 'route' | 'service',
  url: string | null,
  healthPath: string | null,
): RouteSettings {
  const target = { kind: 'url', url } as const;
  return { ...policy, id, kind, host: null, path: `/${id}`, rewrite: 'preserve', target, healthPath };
}

describe('the pools there are', () => {
  it('are input and output, where nobody made any', () => {
    const standing = { declaredBy: 'admin', healthPath: '/health', backends: [] };
    expect(definePools([], [])).toEqual([
      { ...standing, name: 'input' },
      { ...standing, name: 'output' },
    ]);
  });

  it('have the backends of config.yml and those of the database, each URL once', () => {
    const [input] = definePools(
      [
        {
          name: 'input',
          healthPath: '/ready',
          backends: ['http://a:80/', 'http://b:8080', 'http://B:8080/'],
        },
      ],
      [
        {
          name: 'input',
          healthPath: '/other',
          backends: [
            { id: '1', url: 'http://b:8080' },
            { id: '2', url: 'http://c:8080' },
          ],
        },
      ],
    );
    expect(input).toEqual({
      name: 'input',
      declaredBy: 'config',
      healthPath: '/ready',
      backends: [
        { url: 'http://a', declaredBy: 'config', id: null },
        { url: 'http://b:8080', declaredBy: 'config', id: null },
        { url: 'http://c:8080', declaredBy: 'admin', id: '2' },
      ],
    });
  });

  it('may be of the database alone', () => {
    const [, jobs] = definePools([], [{ name: 'jobs', healthPath: '/up', backends: [] }]);
    expect(jobs).toEqual({ name: 'jobs', declaredBy: 'admin', healthPath: '/up', backends: [] });
  });
});

describe('the URLs that are watched', () => {
  it('are those of pools, services, mappings and the default backend, each with its path', () => {
    const pools = definePools(
      [],
      [{ name: 'input', healthPath: '/up', backends: [{ id: '1', url: 'http://c' }] }],
    );
    expect([...watchedUrls(settings, pools)]).toEqual([
      ['http://c', '/up'],
      ['http://kira:3010', '/healthz'],
      ['http://mapped:8080', ''],
      ['http://default:4070', ''],
    ]);
  });

  it('are asked by the path of a pool or a service where a mapping has the same server', () => {
    const mapped = { ...settings, defaultBackend: 'http://kira:3010/' };
    expect(watchedUrls(mapped, []).get('http://kira:3010')).toBe('/healthz');
  });
});
