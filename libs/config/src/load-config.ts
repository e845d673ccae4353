import { hkdfSync } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { detailsOf, errorCode } from '#common';
import type { AppConfig, DatabaseConfig } from './app-config.js';
import { ConfigError } from './config-error.js';
import { crossChecks } from './cross-checks.js';
import { ALIASES, environmentSchema, type Environment } from './environment.js';
import { freeze } from './freeze.js';
import { generatedSecrets, type GeneratedSecrets } from './generated-secrets.js';
import { readConfigFile } from './settings/config-file.js';
import type { FileSettings } from './settings/file-settings.js';
import { sentenceOf } from './settings/settings-fault.js';
import { SettingsReader } from './settings/settings-reader.js';

/** Contract §2. */
const OIDC_TTL_MS = 8 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

const DEFAULT_ADMIN_EMAIL = 'admin@localhost.localdomain';

/**
 * Turns an environment, and the config.yml it names, into the configuration.
 * @throws ConfigError that lists every fault at once.
 */
export function loadConfig(raw: NodeJS.ProcessEnv): AppConfig {
  const variables = withoutAliasesAndBlanks(raw);
  const parsed = environmentSchema.safeParse(variables);
  const file = resolve(environmentSchema.shape.CONFIG_FILE.parse(variables['CONFIG_FILE']));
  const reader = new SettingsReader(raw, parsed.success ? surroundings(parsed.data) : null);
  const { settings, faults: faultsOfFile } = readSettings(file, reader);
  const faults = [
    ...(parsed.success ? crossChecks(parsed.data) : faultsOf(variables, parsed.error)),
    ...faultsOfFile,
  ];
  if (!parsed.success || settings === null || faults.length > 0) throw new ConfigError(faults);
  return freeze(build(parsed.data, { settings, settingsFile: file, settingsReader: reader }));
}

type SettingsConfig = Pick<AppConfig, 'settings' | 'settingsFile' | 'settingsReader'>;

function surroundings(env: Environment): ConstructorParameters<typeof SettingsReader>[1] {
  return {
    own: { host: env.HOST, port: env.PORT, appUrl: appUrlOf(env) },
    oidcPath: env.OIDC_REDIRECT_PATH,
  };
}

/** What the file says, or its faults as sentences. One that is not there says nothing, and everything has its default. */
function readSettings(
  file: string,
  reader: SettingsReader,
): { readonly settings: FileSettings | null; readonly faults: readonly string[] } {
  try {
    const { settings, faults } = reader.read(readConfigFile(file)?.text ?? '');
    return { settings, faults: faults.map((fault) => sentenceOf(fault, file)) };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return { settings: null, faults: [`CONFIG_FILE ${file} can't be read (${errorCode(error)})`] };
  }
}

function appUrlOf(env: Environment): string | null {
  return env.APP_URL ?? (env.PORT === 0 ? null : `http://localhost:${env.PORT}`);
}

/** What is wrong with single variables, and with those together that are right: one start tells all that is to do. */
function faultsOf(variables: Record<string, string>, { issues }: z.ZodError): string[] {
  const single = detailsOf(issues).map(({ path, message }) => `${path} ${message}`);
  const faulty = new Set(issues.map(({ path }) => String(path[0])));
  const rest = environmentSchema.safeParse(
    Object.fromEntries(Object.entries(variables).filter(([name]) => !faulty.has(name))),
  );
  if (!rest.success) return single;
  // That a faulty one is missing, now that it is left out, is no fault of its own.
  const ofOthers = (fault: string): boolean => fault.split(/\W+/).every((word) => !faulty.has(word));
  return [...single, ...crossChecks(rest.data).filter(ofOthers)];
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

function build(env: Environment, settings: SettingsConfig): AppConfig {
  const production = env.NODE_ENV === 'production';
  const dataDir = resolve(env.DATA_DIR);
  const generated: GeneratedSecrets | null = production ? null : generatedSecrets(dataDir);
  const secretKey = env.SECRET_KEY ?? generated?.secretKey ?? '';
  return {
    mode: env.NODE_ENV,
    logLevel: env.LOG_LEVEL,
    http: {
      host: env.HOST,
      port: env.PORT,
      appUrl: appUrlOf(env),
      trustProxy: env.TRUST_PROXY,
      allowedOrigins: env.ALLOWED_ORIGINS,
      staticDir: env.STATIC_DIR ?? null,
      shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    },
    dataDir,
    database: databaseConfig(env),
    secretKey,
    previousSecretKey: env.SECRET_KEY_PREVIOUS ?? null,
    jwtSecret: env.GATEWAY_JWT_SECRET ?? derivedJwtSecret(secretKey),
    admin: {
      key: env.ADMIN_KEY ?? generated?.adminKey ?? '',
      email: env.ADMIN_EMAIL ?? DEFAULT_ADMIN_EMAIL,
      password: env.ADMIN_PASSWORD ?? generated?.adminPassword ?? '',
      requireTotp: env.ADMIN_REQUIRE_TOTP ?? production,
      auditRetentionDays: env.AUDIT_RETENTION_DAYS,
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
      ttlMs: env.SESSION_TTL_DAYS * DAY_MS,
      oidcTtlMs: OIDC_TTL_MS,
    },
    redisUrl: env.REDIS_URL ?? null,
    signUpsPerHour: env.SIGNUPS_PER_HOUR,
    oidc: oidcConfig(env),
    mail: {
      smtpUrl: env.SMTP_URL ?? null,
      from: env.MAIL_FROM,
      requireVerifiedAddress: env.REQUIRE_VERIFIED_EMAIL,
    },
    monitor: monitorConfig(env),
    slices: slicesConfig(env),
    billing: billingConfig(env),
    ...settings,
  };
}

/** Outside production: as good as one made by hand, and nothing more to keep (RFC 5869). */
function derivedJwtSecret(secretKey: string): string {
  return Buffer.from(hkdfSync('sha256', secretKey, 'sluice', 'gateway-jwt', 32)).toString('base64url');
}

function oidcConfig(env: Environment): AppConfig['oidc'] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = env;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return null;
  return {
    issuer,
    clientId,
    clientSecret,
    redirectPath: env.OIDC_REDIRECT_PATH,
    scopes: env.OIDC_SCOPES,
    endpoints: {
      authorization: env.OIDC_AUTHORIZATION_ENDPOINT ?? null,
      token: env.OIDC_TOKEN_ENDPOINT ?? null,
      userinfo: env.OIDC_USERINFO_ENDPOINT ?? null,
      revocation: env.OIDC_REVOCATION_ENDPOINT ?? null,
      jwks: env.OIDC_JWKS_URI ?? null,
    },
    idTokenMaxAgeSeconds: env.ID_TOKEN_MAX_AGE_SECONDS || null,
    refreshSkewMs: env.TOKEN_REFRESH_SKEW_SECONDS * 1000,
  };
}

function monitorConfig(env: Environment): AppConfig['monitor'] {
  const { NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET: secret = null } = env;
  return {
    intervalMs: env.MONITOR_INTERVAL_SECONDS === 0 ? null : env.MONITOR_INTERVAL_SECONDS * 1000,
    notifyAfterMs: env.NOTIFY_AFTER_HOURS * 3_600_000,
    appriseUrl: env.APPRISE_URL ?? null,
    webhook: url === undefined ? null : { url, secret },
  };
}

function billingConfig(env: Environment): AppConfig['billing'] {
  const {
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_PRICE_ID: priceId,
  } = env;
  const complete = secretKey !== undefined && webhookSecret !== undefined && priceId !== undefined;
  return {
    stripe: complete ? { secretKey, webhookSecret, priceId, apiBase: env.STRIPE_API_BASE ?? null } : null,
    incomplete: !complete && (secretKey !== undefined || env.BILLING_REQUIRED),
    required: env.BILLING_REQUIRED,
    graceMs: env.BILLING_GRACE_DAYS * DAY_MS,
    trialDays: env.BILLING_TRIAL_DAYS,
    promotionCodes: env.BILLING_PROMOTION_CODES,
    automaticTax: env.BILLING_AUTOMATIC_TAX,
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
    subnetPool: env.SLICE_SUBNETS,
    databaseHost: env.SLICE_DB_HOST ?? null,
    databaseConnections: env.SLICE_DB_CONNECTIONS,
    paths: env.SLICE_PATHS,
    maxInFlight: env.SLICE_MAX_IN_FLIGHT,
    startTimeoutMs: env.SLICE_START_TIMEOUT * 1000,
    retentionMs: env.SLICE_RETENTION_DAYS * DAY_MS,
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
