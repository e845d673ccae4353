import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  APP_URL: 'https://app.example.com/',
  SECRET_KEY: 'k'.repeat(31) + 'x',
  GATEWAY_JWT_SECRET: 'j'.repeat(31) + 'x',
  ADMIN_KEY: 'the-key-of-the-operator',
  ADMIN_EMAIL: 'admin@example.com',
  ADMIN_PASSWORD: 'correct horse',
  SLICE_IMAGE: 'acme/app:1',
};

describe('the configuration', () => {
  let DATA_DIR: string;
  beforeAll(() => {
    DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  });
  afterAll(() => rmSync(DATA_DIR, { recursive: true }));

  const load = (environment: NodeJS.ProcessEnv) => loadConfig({ DATA_DIR, ...environment });

  /** The faults of an environment; none is an empty list. */
  function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
    try {
      load(environment);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
  }

  it('needs nothing, outside production', () => {
    const config = load({});
    expect(config).toMatchObject({
      mode: 'development',
      http: { host: '127.0.0.1', port: 3000, appUrl: 'http://localhost:3000', trustProxy: [] },
      database: { kind: 'embedded', poolMax: 20 },
      session: { cookieName: 'session', secure: false, sameSite: 'Lax', ttlMs: 30 * 86_400_000 },
      slices: {
        runtime: 'process',
        portRange: { from: 5001, to: 5999 },
        memoryBytes: 256 * 1024 ** 2,
        paths: ['/api', '/socket.io', '/app'],
        env: {},
      },
    });
  });

  it('is frozen to its depths', () => {
    const { slices } = load({ SLICE_ENV: '{"A":"b"}' });
    expect(() => Object.assign(slices.env, { A: 'c' })).toThrow(TypeError);
    expect(() => Object.assign(slices.portRange, { from: 1 })).toThrow(TypeError);
  });

  describe('with faults', () => {
    it('tells that nobody could ever verify an address', () => {
      const production = { NODE_ENV: 'production', REQUIRE_VERIFIED_EMAIL: 'true' };
      const about = (env: NodeJS.ProcessEnv): string[] =>
        faultsOf({ ...production, ...env }).filter((fault) => fault.startsWith('REQUIRE_VERIFIED_EMAIL'));
      expect(about({})).toHaveLength(1);
      expect(about({ SMTP_URL: 'smtp://mail.example.com' })).toEqual([]);
    });

    it('lists those of single variables and those of several together', () => {
      const faults = faultsOf({
        NODE_ENV: 'production',
        GATEWAY_JWT_SECRET: 'changeme',
        ADMIN_KEY: 'changeme',
        ADMIN_PASSWORD: 'changeme',
        SESSION_COOKIE_SAMESITE: 'None',
        SESSION_COOKIE_SECURE: 'false',
        OIDC_ISSUER: 'https://login.example.com',
        OIDC_CLIENT_ID: 'sluice',
      });
      const named = faults.map((fault) => fault.split(' ', 1).join());
      expect(new Set(named)).toEqual(
        new Set([
          'GATEWAY_JWT_SECRET',
          'ADMIN_KEY',
          'ADMIN_PASSWORD',
          'SESSION_COOKIE_SAMESITE',
          'OIDC_CLIENT_SECRET',
          'SECRET_KEY',
          'ADMIN_EMAIL',
          'APP_URL',
          'SLICE_IMAGE',
        ]),
      );
      expect(faults).not.toContain('ADMIN_KEY is required in production');
    });

    it('lists every one of them at once, by the name of its variable', () => {
      const faults = faultsOf({
        PORT: '70000',
        LOG_LEVEL: 'loud',
        TRUST_PROXY: '10.0.0.0/8, nowhere',
        ALLOWED_ORIGINS: 'https://app.example.com/path',
        SESSION_COOKIE_NAME: 'a b',
        SLICE_MEMORY: '1k',
        SLICE_PORT_RANGE: '6000-5000',
        SLICE_PATHS: 'api',
        SLICE_ENV: '["no object"]',
        SLICE_CPUS: '-1',
        DATABASE_URL: 'mysql://host/db',
      });
      const named = faults.map((fault) => fault.split(/[. ]/, 1).join());
      expect(named.toSorted()).toEqual([
        'ALLOWED_ORIGINS',
        'DATABASE_URL',
        'LOG_LEVEL',
        'PORT',
        'SESSION_COOKIE_NAME',
        'SLICE_CPUS',
        'SLICE_ENV',
        'SLICE_MEMORY',
        'SLICE_PATHS',
        'SLICE_PORT_RANGE',
        'TRUST_PROXY',
      ]);
    });

    it('is told in one message, that repeats none of the values: some are secrets', () => {
      const secret = 'sesame-open';
      const environment = {
        SECRET_KEY: secret,
        ADMIN_KEY: secret,
        SLICE_ENV: `{"A":${secret}}`,
        DATABASE_URL: `postgres://u:${secret}@`,
        SESSION_COOKIE_SECURE: secret,
      };
      expect(() => load(environment)).toThrow(/^The configuration has faults:(\n {2}- \S.*)+$/);
      expect(faultsOf(environment).join()).not.toContain(secret);
    });
  });

  it('takes the other names of variables, unless the first one is set', () => {
    const aliases = {
      SERVICE_PORT: '4000',
      APP_BASE_URL: 'http://a.example',
      CORS_ORIGIN: 'https://b.example',
    };
    expect(load(aliases).http).toMatchObject({
      port: 4000,
      appUrl: 'http://a.example',
      allowedOrigins: ['https://b.example'],
    });
    expect(load({ ...aliases, PORT: '5000', APP_URL: ' ' }).http).toMatchObject({
      port: 5000,
      appUrl: 'http://a.example',
    });
  });

  it.each(['', ' ', '\t'])('takes the blank value %j for one that is not set', (blank) => {
    const config = load({ PORT: blank, DATABASE_URL: blank, SLICE_IMAGE: blank, ADMIN_KEY: blank });
    expect(config).toMatchObject({ http: { port: 3000 }, database: { kind: 'embedded' } });
    expect(config.admin).toMatchObject({ generated: { key: true } });
  });

  it.each(['changeme', 'change-me', 'Password1', 'admin', 'secret123', 'ADMIN'])(
    'refuses the secret %j, which everybody tries first',
    (guessed) => {
      expect(faultsOf({ ADMIN_PASSWORD: guessed }).join()).toContain(
        'ADMIN_PASSWORD is a value that everybody',
      );
    },
  );

  it('refuses secrets that are too short to be any', () => {
    const short = {
      SECRET_KEY: 'x'.repeat(31),
      GATEWAY_JWT_SECRET: 'x'.repeat(31),
      ADMIN_KEY: 'x'.repeat(15),
      SLICE_DB_PASSWORD: 'x'.repeat(15),
    };
    expect(faultsOf(short)).toHaveLength(4);
  });

  it('refuses the present secret key as the previous one', () => {
    const key = 'k'.repeat(32);
    expect(faultsOf({ SECRET_KEY: key, SECRET_KEY_PREVIOUS: key }).join()).toContain(
      'SECRET_KEY_PREVIOUS is the SECRET_KEY itself',
    );
  });

  describe('of OpenID Connect', () => {
    const OIDC = {
      OIDC_ISSUER: 'https://id.example.com/',
      OIDC_CLIENT_ID: 'sluice',
      OIDC_CLIENT_SECRET: 'x',
    };

    it('is off where nothing of it is set, and on with three variables', () => {
      expect(load({}).oidc).toBeNull();
      expect(load(OIDC).oidc).toMatchObject({
        issuer: 'https://id.example.com/',
        redirectPath: '/auth/callback',
        idTokenMaxAgeSeconds: null,
        endpoints: { token: null },
      });
    });

    it.each(Object.keys(OIDC))('is refused when it is filled but for %s', (name) => {
      const faults = faultsOf({ ...OIDC, [name]: '', OIDC_TOKEN_ENDPOINT: 'https://id.example.com/token' });
      expect(faults).toEqual([
        expect.stringMatching(`^${name} is required, since .*OIDC_TOKEN_ENDPOINT is set`),
      ]);
    });

    it.each(['/auth/login', '/auth/password/reset', '/whoami/me', '/admin', '/api/gateway/target'])(
      'has no callback at %s, where another endpoint is',
      (path) => {
        expect(faultsOf({ ...OIDC, OIDC_REDIRECT_PATH: path })).toEqual([
          `OIDC_REDIRECT_PATH ${path} is another endpoint's; choose a path of its own`,
        ]);
      },
    );

    it.each(['/auth/callback', '/auth/oidc/callback', '/auth/me-too', '/signed-in', '/api/callback'])(
      'may have its callback at %s',
      (path) => {
        expect(load({ ...OIDC, OIDC_REDIRECT_PATH: path }).oidc?.redirectPath).toBe(path);
      },
    );

    it('must be encrypted in production', () => {
      const faults = faultsOf({ ...PRODUCTION, ...OIDC, OIDC_ISSUER: 'http://id.example.com' });
      expect(faults).toEqual(['OIDC_ISSUER must be an https URL in production']);
    });
  });

  describe('in production', () => {
    it('is complete with these', () => {
      const config = load(PRODUCTION);
      expect(config.http.appUrl).toBe('https://app.example.com');
      expect(config.session.secure).toBe(true);
      expect(config.slices).toMatchObject({ runtime: 'docker', image: 'acme/app:1' });
      expect(config.admin.generated).toEqual({ key: false, password: false, now: false });
    });

    it.each([
      'SECRET_KEY',
      'GATEWAY_JWT_SECRET',
      'ADMIN_KEY',
      'ADMIN_EMAIL',
      'ADMIN_PASSWORD',
      'APP_URL',
      'SLICE_IMAGE',
    ])('requires %s, and makes none up', (name) => {
      expect(faultsOf({ ...PRODUCTION, [name]: '' })).toEqual([
        expect.stringMatching(`^${name} is required in production`),
      ]);
    });

    it('names all that are missing', () => {
      expect(faultsOf({ NODE_ENV: 'production' })).toHaveLength(7);
    });

    it('runs slices without isolation only where that is asked for', () => {
      const config = load({ ...PRODUCTION, SLICE_IMAGE: '', SLICE_RUNTIME: 'process' });
      expect(config.slices.runtime).toBe('process');
    });
  });

  describe('that contradicts itself is refused:', () => {
    it.each([
      [{ SESSION_COOKIE_SAMESITE: 'None' }, 'SESSION_COOKIE_SAMESITE'],
      [{ SESSION_COOKIE_SAMESITE: 'None', SESSION_COOKIE_SECURE: 'false' }, 'SESSION_COOKIE_SAMESITE'],
      [{ SESSION_COOKIE_NAME: '__Secure-sid' }, 'SESSION_COOKIE_NAME __Secure-…'],
      [{ SESSION_COOKIE_NAME: '__host-sid' }, 'SESSION_COOKIE_NAME __host-…'],
      [
        {
          SESSION_COOKIE_NAME: '__HOST-sid',
          SESSION_COOKIE_SECURE: 'true',
          SESSION_COOKIE_DOMAIN: 'example.com',
        },
        'SESSION_COOKIE_NAME __HOST-…',
      ],
      [{ SLICE_RUNTIME: 'docker' }, 'SLICE_RUNTIME'],
      [{ DATABASE_URL: 'postgres://host/db', DB_HOST: 'host' }, 'DATABASE_URL and DB_HOST'],
      [{ SLICE_NETWORK: 'slices', SLICE_RUNTIME: 'process' }, 'SLICE_NETWORK'],
      [{ SLICE_NETWORK: 'slices', TRUST_PROXY: '10.0.0.0/8' }, 'TRUST_PROXY'],
      [{ SLICE_NETWORK: 'slices', TRUST_PROXY: '::1, 10.213.7.1' }, 'TRUST_PROXY'],
      [
        { SLICE_NETWORK: 'slices', SLICE_SUBNETS: '172.30.0.0/16', TRUST_PROXY: '172.30.9.0/24' },
        'TRUST_PROXY',
      ],
      [{ SLICE_PATHS: '/api,/auth' }, 'SLICE_PATHS'],
      [{ SLICE_PATHS: '/orchestrator/mine' }, 'SLICE_PATHS'],
      [{ SLICE_PATHS: '/api/apikeys' }, 'SLICE_PATHS'],
    ])('%j', (environment, variable) => {
      expect(faultsOf(environment as NodeJS.ProcessEnv)).toEqual([expect.stringMatching(`^${variable} `)]);
    });

    it('but SameSite=None is fine with Secure', () => {
      expect(faultsOf({ SESSION_COOKIE_SAMESITE: 'None', SESSION_COOKIE_SECURE: 'yes' })).toEqual([]);
      expect(faultsOf({ ...PRODUCTION, SESSION_COOKIE_SAMESITE: 'None' })).toEqual([]);
    });
  });

  describe('of an external database', () => {
    it('is read from its variables', () => {
      expect(load({ DB_HOST: 'db', DB_PASSWORD: 'p@ss' }).database).toEqual({
        kind: 'external',
        poolMax: 20,
        host: 'db',
        port: 5432,
        name: 'sluice',
        user: 'sluice',
        password: 'p@ss',
        tls: false,
      });
    });

    it.each([
      [
        'postgres://db',
        { host: 'db', port: 5432, name: 'sluice', user: 'sluice', password: undefined, tls: false },
      ],
      ['postgresql://u:p@db:6000/app', { host: 'db', port: 6000, name: 'app', user: 'u', password: 'p' }],
      ['postgres://a%40b:p%2F%3A%25@db/my%20app', { user: 'a@b', password: 'p/:%', name: 'my app' }],
      ['postgres://u@[2001:db8::1]:5433/app', { host: '2001:db8::1', port: 5433 }],
      ['postgres://db/app?sslmode=disable', { tls: false }],
      ['postgres://db/app?sslmode=prefer', { tls: false }],
      ['postgres://db/app?sslmode=require', { tls: { rejectUnauthorized: false } }],
      ['postgres://db/app?sslmode=verify-ca', { tls: { rejectUnauthorized: true } }],
      ['postgres://db/app?application_name=x&sslmode=verify-full', { tls: { rejectUnauthorized: true } }],
    ])('is read from the URL %s', (url, parts) => {
      expect(load({ DATABASE_URL: url }).database).toMatchObject({ kind: 'external', ...parts });
    });

    it.each([
      'mysql://db/app',
      'postgres://',
      'postgres:///app',
      'postgres://u:%zz@db/app',
      'postgres://db:99999/app',
      'db:5432/app',
      // A typing error here would mean no encryption at all.
      'postgres://db/app?sslmode=verify_full',
    ])('is refused from the URL %s', (url) => {
      expect(faultsOf({ DATABASE_URL: url })).toEqual([expect.stringMatching('^DATABASE_URL ')]);
    });
  });
});
