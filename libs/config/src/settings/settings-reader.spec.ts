import { describe, expect, it } from '@jest/globals';
import type { FileSettings } from './file-settings.js';
import { SettingsReader } from './settings-reader.js';

const SURROUNDINGS = {
  own: { host: '10.0.0.1', port: 3000, appUrl: 'https://app.example.com' },
  oidcPath: '/sso/back',
};

function settingsOf(text: string, env: NodeJS.ProcessEnv = {}): FileSettings {
  const { settings, faults } = new SettingsReader(env, SURROUNDINGS).read(text);
  expect(faults).toEqual([]);
  if (settings === null) throw new Error('not read');
  return settings;
}

/** Each as `line: path message`. */
function faultsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  const { faults } = new SettingsReader(env, SURROUNDINGS).read(text);
  return faults.map(({ path, line, message }) => `${line}: ${path} ${message}`);
}

const POLICY = {
  tokenRoute: null,
  forwardAuthorization: true,
  preserveHost: false,
  timeoutMs: 30_000,
  rateLimit: null,
  maxInFlight: 1000,
  compress: false,
};

const WORKERS = [
  {
    method: 'GET',
    path: '/api/gateway/target',
    pool: 'input',
    upstreamPath: '/target',
    workerTypes: null,
    timeoutMs: 30_000,
  },
  {
    method: 'POST',
    path: '/api/gateway/result',
    pool: 'output',
    upstreamPath: '/result',
    workerTypes: null,
    timeoutMs: 30_000,
  },
];

describe('settings', () => {
  it.each(['', '# nothing yet\n', '---\n', 'null\n', '{}'])('of the text %j are the defaults', (text) => {
    expect(settingsOf(text)).toEqual({
      defaultBackend: null,
      allowedOrigins: [],
      mappings: [],
      routes: [],
      pools: [],
      workers: WORKERS,
      guestRoutes: ['build'],
      appMetrics: [],
    });
  });

  it('are those of a file that was written for another gateway, by host, port and path', () => {
    const text = `defaultBackend: "http://fallback:4070"   # where nothing else fits

allowedOrigins:
  - "https://shop.example.com"
  - "https://staff.example.com"

mappings:
  - frontendHost: "shop.example.com"
    backend: "http://shop:7001"
  - frontendHost: "api.example.com"
    frontendPort: 443                           # only this port
    pathPrefix: "/v2"                           # only these paths
    backend: "http://api-v2:8080"
`;
    expect(settingsOf(text)).toMatchObject({
      defaultBackend: 'http://fallback:4070',
      allowedOrigins: ['https://shop.example.com', 'https://staff.example.com'],
      mappings: [
        {
          id: 'mapping-1',
          frontendHost: 'shop.example.com',
          frontendPort: null,
          pathPrefix: null,
          backend: 'http://shop:7001',
          auth: ['session'],
          ...POLICY,
        },
        {
          id: 'mapping-2',
          frontendHost: 'api.example.com',
          frontendPort: 443,
          pathPrefix: '/v2',
          backend: 'http://api-v2:8080',
        },
      ],
    });
  });

  it('are those of services and routes, with what each kind has for a default', () => {
    const text = `
services:
  kira: { url: 'http://kira:3010/', path: /api/kira/ }
routes:
  - id: build
    path: /build
    host: Build.Example.com
    target: HTTP://x
    auth: [token]
`.replace('HTTP://x', 'http://BUILD:80/base/');
    expect(settingsOf(text).routes).toEqual([
      {
        id: 'build',
        kind: 'route',
        host: 'build.example.com',
        path: '/build',
        rewrite: 'strip-prefix',
        target: { kind: 'url', url: 'http://build/base' },
        healthPath: null,
        auth: ['token'],
        ...POLICY,
        tokenRoute: 'build',
        forwardAuthorization: false,
      },
      {
        id: 'kira',
        kind: 'service',
        host: null,
        path: '/api/kira',
        rewrite: 'strip-prefix',
        target: { kind: 'url', url: 'http://kira:3010' },
        healthPath: '/health',
        auth: ['none'],
        ...POLICY,
      },
    ]);
  });

  it('take whatever policy is given', () => {
    const text = `
pools: { app: { backends: [http://a, http://b:8080], health: '/up?full=1' }, spare: {} }
routes:
  - { id: app, path: /, pool: app, auth: [session, optionalToken], tokenRoute: other, rewrite: preserve, forwardAuthorization: true,
      preserveHost: true, timeoutSeconds: 0.5, rateLimit: 10/s, maxInFlight: 5, compress: true }
`;
    const { routes, pools } = settingsOf(text);
    expect(routes[0]).toMatchObject({
      path: '/',
      target: { kind: 'pool', pool: 'app' },
      auth: ['session', 'optionalToken'],
      tokenRoute: 'other',
      rewrite: 'preserve',
      forwardAuthorization: true,
      preserveHost: true,
      timeoutMs: 500,
      rateLimit: { requests: 10, windowSeconds: 1 },
      maxInFlight: 5,
      compress: true,
    });
    expect(pools).toEqual([
      { name: 'app', backends: ['http://a', 'http://b:8080'], healthPath: '/up?full=1' },
      { name: 'spare', backends: [], healthPath: '/health' },
    ]);
  });

  it.each([
    ['10/s', 10, 1],
    ['10/sec', 10, 1],
    ['10 / second', 10, 1],
    ['100/min', 100, 60],
    ['100/minute', 100, 60],
    ['5/h', 5, 3600],
    ['5/hour', 5, 3600],
    ['7/d', 7, 86_400],
    ['7/day', 7, 86_400],
  ])('count a rate of %s', (rate, requests, windowSeconds) => {
    const [route] = settingsOf(`routes: [{ id: a, path: /a, auth: [none], rateLimit: ${rate} }]`).routes;
    expect(route?.rateLimit).toEqual({ requests, windowSeconds });
  });

  it('let the file say otherwise of the two paths of workers', () => {
    const text = `workers:
  - { path: /api/gateway/target, pool: mine, workerTypes: [ping], timeoutSeconds: 5 }
  - { method: POST, path: /jobs/done, pool: done, upstreamPath: /done }
`;
    expect(settingsOf(text).workers).toEqual([
      {
        method: 'GET',
        path: '/api/gateway/target',
        pool: 'mine',
        upstreamPath: '/api/gateway/target',
        workerTypes: ['ping'],
        timeoutMs: 5000,
      },
      {
        method: 'POST',
        path: '/jobs/done',
        pool: 'done',
        upstreamPath: '/done',
        workerTypes: null,
        timeoutMs: 30_000,
      },
      WORKERS[1],
    ]);
  });

  it('are read of JSON as well, and of YAML with aliases', () => {
    expect(
      settingsOf('{\n\t"guest": {"routes": ["a"]},\n\t"defaultBackend": "http:\\/\\/b"\n}'),
    ).toMatchObject({
      guestRoutes: ['a'],
      defaultBackend: 'http://b',
    });
    const aliased = `mappings:
  - { frontendHost: a.example.com, backend: &b http://b, auth: &open [none] }
  - { frontendHost: c.example.com, backend: *b, auth: *open }
`;
    expect(settingsOf(aliased).mappings[1]).toMatchObject({ backend: 'http://b', auth: ['none'] });
  });

  it('read a text of 100 KB in no time', () => {
    const keys = Array.from({ length: 9_000 }, (_, i) => `"k${i}":1`);
    const started = performance.now();
    expect(faultsOf(`{${keys.join(',')}}`)).toHaveLength(50);
    // A hundredth of that where nothing else runs; what is quadratic takes a multiple of it.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

/** What becomes of a value that is text. */
function read(value: string, env: NodeJS.ProcessEnv = {}): string | undefined {
  return settingsOf(`appMetrics:\n  - name: a\n    sql: ${value}\n`, env).appMetrics[0]?.sql;
}

describe('variables in config.yml', () => {
  it('stand for their values, or their defaults', () => {
    expect(read('a${B}c${D:-e}', { B: 'b' })).toBe('abce');
    expect(read('${B:-http://x:1/y}', { B: ' ' })).toBe('http://x:1/y');
    expect(read('x${B:-}', {})).toBe('x');
    expect(read('$${B} $$ $B {B}', { B: 'b' })).toBe('${B} $$ $B {B}');
  });

  it('hold text, and never YAML, a reference or another variable', () => {
    const hostile = 'x\'\n  - { name: b, sql: "${C}" } # *a';
    expect(read('${B}', { B: hostile, C: 'c' })).toBe(hostile);
    expect(read("'${B}'", { B: hostile })).toBe(hostile);
  });

  it('hold numbers and flags, where those are wanted', () => {
    const text = `routes:
  - { id: a, path: /a, auth: [none], timeoutSeconds: '\${T}', maxInFlight: '\${M}', compress: '\${C:-true}' }
mappings:
  - { frontendHost: a, frontendPort: '\${P}', backend: 'http://\${H}:\${P}' }
`;
    const { routes, mappings } = settingsOf(text, { T: '1.5', M: '7', P: '8443', H: 'backend' });
    expect(routes[0]).toMatchObject({ timeoutMs: 1500, maxInFlight: 7, compress: true });
    expect(mappings[0]).toMatchObject({ frontendPort: 8443, backend: 'http://backend:8443' });
  });

  it('that are not set are faults, by name and line', () => {
    expect(
      faultsOf('defaultBackend: http://${HOST_B}:${PORT_B}\nguest:\n  routes:\n    - ${ROUTE}\n'),
    ).toEqual([
      '1: defaultBackend uses ${HOST_B}, which is not set and has no default',
      '4: guest.routes.0 uses ${ROUTE}, which is not set and has no default',
    ]);
  });

  it('that are all of a target and not set leave the route without one', () => {
    const text = `services: { kira: { url: '\${KIRA}', path: /kira } }
routes: [{ id: a, path: /a, auth: [none], target: '\${A_TARGET}' }]
`;
    expect(settingsOf(text).routes.map(({ target }) => target)).toEqual([
      { kind: 'url', url: null },
      { kind: 'url', url: null },
    ]);
    expect(settingsOf(text, { KIRA: 'http://k' }).routes[1]?.target).toEqual({
      kind: 'url',
      url: 'http://k',
    });
    expect(faultsOf('defaultBackend: ${NOWHERE}')).toHaveLength(1);
  });

  it.each([
    'SECRET_KEY',
    'SECRET_KEY_PREVIOUS',
    'GATEWAY_JWT_SECRET',
    'ADMIN_KEY',
    'ADMIN_PASSWORD',
    'DATABASE_URL',
    'DB_PASSWORD',
    'REDIS_URL',
    'OIDC_CLIENT_SECRET',
    'SLICE_DB_PASSWORD',
    'SLICE_ENV',
    'SMTP_URL',
    'NOTIFY_WEBHOOK_SECRET',
    'STRIPE_SECRET_KEY',
    'STRIPE_WEBHOOK_SECRET',
  ])('are not %s, which could be sent to anywhere', (name) => {
    for (const env of [{ [name]: 'hunter2-of-the-house' }, {}]) {
      for (const text of [`\${${name}}`, `http://x/\${${name}}`, `\${${name}:-http://x}`]) {
        const faults = faultsOf(`routes: [{ id: a, path: /a, auth: [none], target: '${text}' }]`, env);
        expect(faults).toEqual([expect.stringContaining(`1: routes.0.target uses \${${name}}, a secret`)]);
      }
    }
  });

  it.each(['${', '${}', '${1A}', '${A-b}', '${process.env.SECRET_KEY}', '${A:-b', '${__proto__.x}'])(
    'are not written %s',
    (text) => {
      expect(faultsOf(`defaultBackend: '${text}'`, { A: 'a' })).toEqual([
        expect.stringContaining('1: defaultBackend has a ${ that begins no ${NAME}'),
      ]);
    },
  );

  it('named as what every object has are not set', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(faultsOf(`defaultBackend: 'x\${${name}}'`)).toEqual([expect.stringContaining('not set')]);
    }
  });

  it('never show what they hold in a fault', () => {
    const env = { S: 'hunter2' };
    const text = `defaultBackend: 'ftp://\${S}'
allowedOrigins: ['\${S}']
mappings: [{ frontendHost: '\${S}:1', backend: 'http://\${S}@b' }]
routes:
  - { id: a, path: '\${S}', auth: ['\${S}'], pool: '\${S}', rateLimit: '\${S}', timeoutSeconds: '\${S}' }
  - { id: '\${S}!', path: /a, auth: [none], rewrite: '\${S}', compress: '\${S}' }
`;
    const faults = faultsOf(text, env);
    expect(faults.length).toBeGreaterThan(9);
    expect(faults.join('\n')).not.toContain('hunter2');
    const twice = `routes: [{ id: '\${S}', path: '/\${S}', auth: [none], pool: '\${S}' }, { id: '\${S}', path: '/\${S}', auth: [none] }]`;
    expect(faultsOf(twice, env)).toHaveLength(3);
    expect(faultsOf(twice, env).join('\n')).not.toContain('hunter2');
  });
});

describe('targets that the environment names', () => {
  const text = `services: { kira-2: { url: 'http://file', path: /kira } }
routes: [{ id: build, path: /build, auth: [none] }]
`;
  const urls = (env: NodeJS.ProcessEnv) =>
    settingsOf(text, env).routes.map(({ target }) => (target.kind === 'url' ? target.url : target));

  it('win over those of the file', () => {
    expect(urls({})).toEqual([null, 'http://file']);
    expect(urls({ KIRA_2_URL: 'http://env/', BUILD_SERVICE_URL: 'https://build' })).toEqual([
      'https://build',
      'http://env',
    ]);
    expect(urls({ BUILD_URL: 'http://ci', BUILD_SERVICE_URL: 'http://build', KIRA_2_URL: ' ' })).toEqual([
      'http://build',
      'http://file',
    ]);
  });

  it('are never read from variables of Sluice itself', () => {
    const own = `services: { app: { path: /a }, database: { path: /d }, redis: { path: /r }, smtp: { path: /s }, app-base: { path: /b } }`;
    const env = {
      APP_URL: 'http://a',
      APP_BASE_URL: 'http://a',
      DATABASE_URL: 'http://d',
      REDIS_URL: 'http://r',
      SMTP_URL: 'http://s',
      DATABASE_SERVICE_URL: 'http://mine',
    };
    expect(settingsOf(own, env).routes.map(({ target }) => 'url' in target && target.url)).toEqual([
      null,
      'http://mine',
      null,
      null,
      null,
    ]);
  });

  it.each(['ftp://x', 'kira:3010', 'http://u:p@x', 'http://x?y'])(
    'are a fault that names the variable, when they are %s',
    (url) => {
      const faults = faultsOf(text, { KIRA_2_URL: url });
      expect(faults).toEqual([
        expect.stringMatching(/^1: services\.kira-2 takes its URL from KIRA_2_URL, which must /),
      ]);
    },
  );

  it('that lead back are faults like any other', () => {
    expect(faultsOf(text, { BUILD_URL: 'http://localhost:3000' })).toEqual([
      '2: routes.0.target leads back to Sluice itself',
    ]);
  });
});

describe('a faulty config.yml', () => {
  it.each([
    ['a list', '- a\n', /^1:  /],
    ['a text', 'hello\n', /^1:  /],
    ['a tab for indentation', 'guest:\n\troutes: []\n', /^2:  is no YAML/],
    [
      'the same key twice',
      'pools: {}\nguest: { routes: [] }\npools: {}\n',
      /^3: pools stands here for the second time/,
    ],
    ['the same key twice in JSON', '{"pools":{},\n"pools":{}}', /^2: pools stands/],
    ['two documents', 'guest: { routes: [] }\n---\nguest: { routes: [] }\n', /multiple documents/],
    ['an alias that names nothing', '\nguest: *nobody\n', /^2: guest is an alias of nothing/],
    ['an alias of itself', 'guest: &a { routes: [*a] }\n', /nested too deep/],
    [
      'an unknown field in a part',
      'guest:\n  routes: []\n  all: true\n',
      /^3: guest\.all is not a known field$/,
    ],
    ['a type of its own', 'guest: !!set { a }\n', /^1:  is no YAML/],
    ['a list for a key', '? [a]\n: b\n', /^1:  is no YAML/],
    ['a prototype', 'pools:\n  __proto__: {}\n', /^2: pools\.__proto__ is not a known field$/],
    ['a NUL', 'defaultBackend: "http://a\\0"\n', /^1: defaultBackend must not contain control characters$/],
    ['a NUL in a comment', 'guest: { routes: [] }\n# \0\n', /^2:  must not contain control characters$/],
    ['what could be a secret', 'guest: "hunter2" hunter2 hunter2\n', /^1:  is no YAML(?!.*hunter2)/],
    ['half a surrogate pair', 'defaultBackend: "\\uD800"\n', /^1: defaultBackend must not contain control/],
    ['a text of more than 100 KB', `# ${'x'.repeat(102_400)}\n`, /^null:  is larger than 100 KB$/],
    ['a part of another type', 'routes: {}\n', /^1: routes /],
    ['a part without anything', 'guest: { routes: [] }\nroutes:\n', /^2: routes /],
    [
      'a required field that is missing',
      'routes:\n  - id: a\n    path: /a\n',
      /^2: routes\.0\.auth is required$/,
    ],
    [
      'a route nobody may call',
      'routes: [{ id: a, path: /a, auth: [] }]',
      /^1: routes\.0\.auth must name one/,
    ],
    [
      'two targets',
      'services:\n  a: { path: /a, url: http://a, pool: a }\n',
      /^2: services\.a must have one of/,
    ],
    ['an id that is none', 'services:\n  "a b": { path: /a }\n', /^2: services\.a b must be a name/],
    [
      'a bad number',
      'routes: [{ id: a, path: /a, auth: [none], timeoutSeconds: 0 }]',
      /must be a number from/,
    ],
    ['a rate of nothing', 'routes: [{ id: a, path: /a, auth: [none], rateLimit: 0/s }]', /must be a rate/],
  ])('says what is wrong with %s', (_what, text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(fault)]);
  });

  it.each([
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `${'{"a":'.repeat(16_000)}1${'}'.repeat(16_000)}`,
    '- '.repeat(50_000),
  ])('is refused however deep it is nested', (text) => {
    expect(faultsOf(text).length).toBeGreaterThan(0);
  });

  it('is not resolved where aliases grow beyond all bounds', () => {
    const layers = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
    expect(faultsOf(`a0: &a0 x\n${layers.join('\n')}\n`)).toEqual([
      expect.stringContaining('grows beyond all bounds'),
    ]);
  });

  it.each([
    'ftp://backend',
    'backend:8080',
    '//backend',
    'http:backend',
    'http://',
    'http:///backend',
    'http://a b',
    'http://user@backend',
    'http://user:pass@backend',
    'http://backend?x=1',
    'http://backend#x',
    'http://backend:0',
    'http://backend:99999',
    'http://back\\end',
    'http://bücher.example',
    'http://%62ackend',
    `http://backend/${'a'.repeat(2000)}`,
    'javascript:alert(1)',
    'file:///etc/passwd',
    '',
  ])('is one with %j for a target', (url) => {
    const json = JSON.stringify(url);
    const text = `defaultBackend: ${json}
mappings: [{ frontendHost: a, backend: ${json} }]
services: { a: { path: /a, url: ${json} } }
routes: [{ id: b, path: /b, auth: [none], target: ${json} }]
pools: { p: { backends: [${json}] } }
`;
    expect(faultsOf(text).map((fault) => fault.split(' ', 2).join(' '))).toEqual([
      '1: defaultBackend',
      '2: mappings.0.backend',
      '3: services.a.url',
      '4: routes.0.target',
      '5: pools.p.backends.0',
    ]);
  });

  it.each([
    'https://app.example.com',
    'https://APP.example.com:443/x',
    'http://localhost:3000',
    'https://localhost:3000',
    'http://x.localhost:3000',
    'http://127.0.0.1:3000/x',
    'http://127.1:3000',
    'http://2130706433:3000',
    'http://0.0.0.0:3000',
    'http://[::1]:3000',
    'http://[::]:3000',
    'http://[::ffff:127.0.0.1]:3000',
    'http://10.0.0.1:3000',
  ])('is one that leads back by %s', (url) => {
    const text = `defaultBackend: ${url}
mappings: [{ frontendHost: a, backend: "${url}" }]
services: { a: { path: /a, url: "${url}" } }
routes: [{ id: b, path: /b, auth: [none], target: "${url}" }]
pools: { p: { backends: ["${url}"] } }
`;
    expect(faultsOf(text)).toEqual(
      ['defaultBackend', 'mappings.0.backend', 'services.a.url', 'routes.0.target', 'pools.p.backends.0'].map(
        (path, i) => `${i + 1}: ${path} leads back to Sluice itself`,
      ),
    );
  });

  it.each([
    'http://localhost:3001',
    'http://10.0.0.2:3000',
    'http://app.example.com:8080',
    'http://localhost',
  ])('is none that goes to %s', (url) => {
    expect(faultsOf(`defaultBackend: ${url}`)).toEqual([]);
  });

  it('leads back to a port that was found out later', () => {
    const own = { own: { host: '127.0.0.1', port: 0, appUrl: null }, oidcPath: '/auth/callback' };
    const { faults } = new SettingsReader({}, own).read(
      'defaultBackend: http://localhost:4711',
      'http://127.0.0.1:4711',
    );
    expect(faults).toHaveLength(1);
  });

  it.each([
    '/admin',
    '/Admin/x',
    '/auth',
    '/auth/x',
    '/console',
    '/health',
    '/orchestrator',
    '/metrics',
    '/api/gateway/target',
    '/api/apikeys',
    '/API/apikeys/list',
    '/sso/back',
    '/sso/back/x',
  ])('is one that takes %s from Sluice', (path) => {
    const text = `services:\n  a: { path: ${path} }\nroutes:\n  - { id: b, path: '${path}/b', auth: [none] }\n`;
    expect(faultsOf(text)).toEqual([
      "2: services.a.path belongs to Sluice's own endpoints",
      "4: routes.0.path belongs to Sluice's own endpoints",
    ]);
  });

  it.each(['/', '/api', '/api/auth', '/administration', '/sso', '/api/gatewayx'])('may route %s', (path) => {
    expect(faultsOf(`services: { a: { path: ${path} } }`)).toEqual([]);
  });

  it('takes /api off paths that begin with it alone', () => {
    const text = 'services: { a: { path: PATH, rewrite: strip-api } }';
    for (const path of ['/', '/build', '/apix', '/building/api']) {
      expect(faultsOf(text.replace('PATH', path))).toEqual([
        '1: services.a.rewrite can be strip-api only where the path begins with /api',
      ]);
    }
    for (const path of ['/api', '/api/a']) expect(faultsOf(text.replace('PATH', path))).toEqual([]);
  });

  it('leaves workers what is theirs, and no more', () => {
    const text = `workers:
  - { path: /api/gateway/more, pool: a }
  - { path: /jobs, pool: a }
  - { path: /api/gateway/stats, pool: a }
  - { path: /api/gateway/STATS, pool: a }
  - { path: /api/apikeys/list, pool: a }
  - { path: /admin/jobs, pool: a }
  - { path: /jobs, pool: b }
  - { path: /jobs, method: POST, pool: b }
`;
    expect(faultsOf(text)).toEqual([
      "4: workers.2.path belongs to Sluice's own endpoints",
      "5: workers.3.path belongs to Sluice's own endpoints",
      "6: workers.4.path belongs to Sluice's own endpoints",
      "7: workers.5.path belongs to Sluice's own endpoints",
      '8: workers.6.path is that of workers.1.path as well, for the same method',
    ]);
  });

  it.each([
    'app',
    '/a//b',
    '/a/../b',
    '/a/.',
    '/..;/a',
    '/a?b',
    '/a#b',
    '/a%2fb',
    '/a\\b',
    '/a b',
    '/é',
    '/*',
  ])('is one with the path %s', (path) => {
    expect(faultsOf(`services: { a: { path: ${JSON.stringify(path)} } }`)).toEqual([
      expect.stringMatching(/^1: services\.a\.path must /),
    ]);
  });

  it.each(['a:80', 'http://a', 'a/b', 'a b', '*.a', '', 'ä.example.com', 'a.'])(
    'is one with the host %j',
    (host) => {
      expect(faultsOf(`services: { a: { path: /a, host: ${JSON.stringify(host)} } }`)).toEqual([
        expect.stringMatching(/^1: services\.a\.host must be a host/),
      ]);
    },
  );

  it('is one that names something twice', () => {
    const text = `services:
  a: { path: /a }
  b: { path: /a/ }
  c: { path: /a, host: x.example.com }
routes:
  - { id: a, path: /r, auth: [none] }
  - { id: d, path: /a, host: X.example.com, auth: [none] }
  - { id: mapping-1, path: /m, auth: [none] }
pools:
  p: { backends: ['http://a', 'http://A:80/'] }
appMetrics:
  - { name: n, sql: select 1 }
  - { name: n, sql: select 2 }
`;
    expect(faultsOf(text)).toEqual([
      '2: services.a is that of routes.0.id as well',
      '3: services.b.path is that of services.a.path as well, for the same host',
      '4: services.c.path is that of routes.1.path as well, for the same host',
      '8: routes.2 must not be called as the mappings are: mapping-1 and so on',
      '10: pools.p.backends.1 is that of pools.p.backends.0 as well',
      '13: appMetrics.1.name is that of appMetrics.0.name as well',
    ]);
  });

  it('is one whose routes go to pools it does not know', () => {
    const text = `pools: { known: {} }
services: { a: { path: /a, pool: known }, b: { path: /b, pool: toString } }
workers: [{ path: /jobs, pool: anything }]
`;
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(/^2: services\.b\.pool is not declared under pools/),
    ]);
  });

  it('is one that says whose tokens it takes, and takes none', () => {
    const text = `routes:
  - { id: core, path: /core, auth: [optionalToken] }
  - { id: b, path: /b, auth: [token], tokenRoute: auth }
  - { id: c, path: /c, auth: [session], tokenRoute: c }
services: { d: { path: /d, tokenRoute: d } }
mappings:
  - { frontendHost: a, backend: 'http://a', auth: [token] }
  - { frontendHost: a, backend: 'http://a', tokenRoute: a }
`;
    expect(faultsOf(text)).toEqual([
      '4: routes.2.tokenRoute needs token or optionalToken in auth',
      '5: services.d.tokenRoute needs token or optionalToken in auth',
      '7: mappings.0.tokenRoute is required where auth has token or optionalToken',
      '8: mappings.1.tokenRoute needs token or optionalToken in auth',
    ]);
  });
});
