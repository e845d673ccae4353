import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detailsOf } from '#common';
import type { AppConfig, DatabaseConfig } from './app-config.js';
import { ConfigError } from './config-error.js';
import { ALIASES, environmentSchema, type Environment } from './environment.js';
import { generatedSecrets, type GeneratedSecrets } from './generated-secrets.js';

/** First segments of Sluice's own endpoints. */
const OWN_PATHS: ReadonlySet<string> = new Set([
  'account',
  'admin',
  'auth',
  'billing',
  'console',
  'health',
  'healthz',
  'heartbeat',
  'info',
  'metrics',
  'orchestrator',
  'whoami',
]);

const DEFAULT_ADMIN_EMAIL = 'admin@localhost.localdomain';

/**
 * Turns an environment into the configuration.
 * @throws ConfigError that lists every fault at once.
 */
export function loadConfig(raw: NodeJS.ProcessEnv): AppConfig {
  const parsed = environmentSchema.safeParse(withoutAliasesAndBlanks(raw));
  if (!parsed.success) {
    throw new ConfigError(detailsOf(parsed.error.issues).map(({ path, message }) => `${path} ${message}`));
  }
  const environment = parsed.data;
  const faults = crossChecks(environment);
  if (faults.length > 0) throw new ConfigError(faults);
  return freeze(build(environment));
}

function withoutAliasesAndBlanks(raw: NodeJS.ProcessEnv): Record<string, string> {
  const known: Record<string, string> = {};
  for (const [name, text] of Object.entries(raw)) {
    if (text === undefined || text.trim() === '') continue;
    const alias = ALIASES[name];
    if (alias === undefined) known[name] = text;
    else if ((raw[alias] ?? '').trim() === '') known[alias] = text;
  }
  return known;
}

/** What no single variable can tell. */
function crossChecks(env: Environment): string[] {
  const faults: string[] = [];
  const production = env.NODE_ENV === 'production';
  if (env.SESSION_COOKIE_SAMESITE === 'None' && !(env.SESSION_COOKIE_SECURE ?? production)) {
    faults.push(
      'SESSION_COOKIE_SAMESITE None needs SESSION_COOKIE_SECURE=true: browsers drop the cookie otherwise',
    );
  }
  if (env.SLICE_RUNTIME === 'docker' && env.SLICE_IMAGE === undefined) {
    faults.push('SLICE_RUNTIME docker needs SLICE_IMAGE, the image of your app');
  }
  if (env.DATABASE_URL !== undefined && env.DB_HOST !== undefined) {
    faults.push('DATABASE_URL and DB_HOST are both set; keep one of them');
  }
  if (env.SLICE_NETWORK !== undefined && env.SLICE_RUNTIME === 'process') {
    faults.push('SLICE_NETWORK is for the docker runtime; unset it, or set SLICE_RUNTIME=docker');
  }
  const covered = env.SLICE_PATHS.filter((path) => OWN_PATHS.has(path.split('/')[1] ?? ''));
  if (covered.length > 0)
    faults.push(`SLICE_PATHS must leave ${covered.join(', ')} to Sluice's own endpoints`);
  if (production) faults.push(...productionChecks(env));
  return faults;
}

function productionChecks(env: Environment): string[] {
  const required = ['SECRET_KEY', 'ADMIN_KEY', 'ADMIN_EMAIL', 'ADMIN_PASSWORD', 'APP_URL'] as const;
  const faults: string[] = required
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is required in production`);
  if (env.SLICE_RUNTIME === 'auto' && env.SLICE_IMAGE === undefined) {
    faults.push(
      'SLICE_IMAGE is required in production (SLICE_RUNTIME=process runs slices without any isolation)',
    );
  }
  return faults;
}

function build(env: Environment): AppConfig {
  const production = env.NODE_ENV === 'production';
  const dataDir = resolve(env.DATA_DIR);
  const generated: GeneratedSecrets | null = production ? null : generatedSecrets(dataDir);
  return {
    mode: env.NODE_ENV,
    logLevel: env.LOG_LEVEL,
    http: {
      host: env.HOST,
      port: env.PORT,
      appUrl: env.APP_URL ?? (env.PORT === 0 ? null : `http://localhost:${env.PORT}`),
      trustProxy: env.TRUST_PROXY,
      allowedOrigins: env.ALLOWED_ORIGINS,
      shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    },
    dataDir,
    database: databaseConfig(env),
    secretKey: env.SECRET_KEY ?? generated?.secretKey ?? '',
    admin: {
      key: env.ADMIN_KEY ?? generated?.adminKey ?? '',
      email: env.ADMIN_EMAIL ?? DEFAULT_ADMIN_EMAIL,
      password: env.ADMIN_PASSWORD ?? generated?.adminPassword ?? '',
      generated: {
        key: env.ADMIN_KEY === undefined,
        password: env.ADMIN_PASSWORD === undefined,
        now: generated?.fresh ?? false,
      },
    },
    session: {
      cookieName: env.SESSION_COOKIE_NAME,
      cookieDomain: env.SESSION_COOKIE_DOMAIN,
      secure: env.SESSION_COOKIE_SECURE ?? production,
      sameSite: env.SESSION_COOKIE_SAMESITE,
      ttlMs: env.SESSION_TTL_DAYS * 24 * 3_600_000,
    },
    slices: slicesConfig(env),
  };
}

function slicesConfig(env: Environment): AppConfig['slices'] {
  return {
    runtime:
      env.SLICE_RUNTIME === 'auto'
        ? env.SLICE_IMAGE === undefined
          ? 'process'
          : 'docker'
        : env.SLICE_RUNTIME,
    image: env.SLICE_IMAGE ?? null,
    command: env.SLICE_COMMAND ?? notesCommand(),
    portRange: env.SLICE_PORT_RANGE,
    healthPath: env.SLICE_HEALTH_PATH,
    memoryBytes: env.SLICE_MEMORY,
    cpus: env.SLICE_CPUS,
    poolSize: env.SLICE_POOL_SIZE,
    autoProvision: env.SLICE_AUTO_PROVISION,
    databasePasswordRoot: env.SLICE_DB_PASSWORD ?? null,
    env: env.SLICE_ENV,
    network: env.SLICE_NETWORK ?? null,
    databaseHost: env.SLICE_DB_HOST ?? null,
    databaseConnections: env.SLICE_DB_CONNECTIONS,
    paths: env.SLICE_PATHS,
    startTimeoutMs: env.SLICE_START_TIMEOUT * 1000,
    dockerHost: env.DOCKER_HOST ?? null,
  };
}

function databaseConfig(env: Environment): DatabaseConfig {
  const poolMax = env.DB_POOL_MAX;
  if (env.DATABASE_URL !== undefined) return { kind: 'external', poolMax, ...env.DATABASE_URL };
  if (env.DB_HOST === undefined) return { kind: 'embedded', poolMax };
  return {
    kind: 'external',
    poolMax,
    host: env.DB_HOST,
    port: env.DB_PORT,
    name: env.DB_NAME,
    user: env.DB_USER,
    password: env.DB_PASSWORD,
    tls: false,
  };
}

/** The sample app, which runs as it stands: Node 24 and newer strip the types. */
function notesCommand(): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('apps/notes/src/main.ts', repositoryRoot()))];
}

/** `package.json#imports` resolves to the compiled file or to the source; the root is above either. */
function repositoryRoot(): URL {
  const here = import.meta.url;
  return new URL(here.includes('/dist/libs/') ? '../../../../' : '../../../', here);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
