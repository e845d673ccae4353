import { z } from 'zod';
import { billing } from './billing-environment.js';
import * as value from './values.js';

/** A command line split at blanks; a program with blanks in its path needs a wrapper script. */
const command = z.string().transform((text) => text.trim().split(/\s+/));

/* Defaults are written as they would stand in the environment: `.env.example` shows them so. */

const running = {
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .prefault('development')
    .describe('production: JSON logs, Secure cookies, and no generated secrets.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .prefault('info')
    .describe('The least severe log line that is written.'),
  DATA_DIR: z
    .string()
    .prefault('.data')
    .describe('Embedded PostgreSQL, generated secrets, data of process slices.'),
  CONFIG_FILE: z
    .string()
    .prefault('config.yml')
    .describe('What does not fit into variables: routes, for example. It need not exist.'),
};

const reached = {
  HOST: z.string().prefault('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container.'),
  PORT: value.integer(0, 65_535).prefault('3000').describe('Port to listen on (alias SERVICE_PORT).'),
  APP_URL: value.httpUrl
    .optional()
    .describe(
      'Where customers reach Sluice (alias APP_BASE_URL). Default: http://localhost:PORT; required in production.',
    ),
  TRUST_PROXY: value.networkList
    .prefault('')
    .describe(
      'Addresses or networks of the proxies in front, comma-separated: only their X-Forwarded-* count.',
    ),
  ALLOWED_ORIGINS: value.originList
    .prefault('')
    .describe(
      'More origins that browsers may call from, comma-separated (alias CORS_ORIGIN); * where no cookie counts.',
    ),
  STATIC_DIR: value.folder
    .optional()
    .describe(
      'A folder whose files are served at /; a page that is not there gets its index.html. Default: none.',
    ),
  SHUTDOWN_TIMEOUT_SECONDS: value
    .integer(0, 3600)
    .prefault('30')
    .describe('How long a stop waits for requests and WebSockets to end.'),
};

const database = {
  DATABASE_URL: value.postgresUrl
    .optional()
    .describe(
      'PostgreSQL 14 or newer, or DB_HOST and so on below. Neither: an embedded PostgreSQL in DATA_DIR.',
    ),
  DB_HOST: z.string().optional().describe('Host of PostgreSQL.'),
  DB_PORT: value.integer(1, 65_535).prefault('5432').describe('Port of PostgreSQL.'),
  DB_NAME: z.string().prefault('sluice').describe("The gateway's own database."),
  DB_USER: z.string().prefault('sluice').describe('A role that may create databases and roles.'),
  DB_PASSWORD: z.string().optional().describe('Its password.'),
  DB_POOL_MAX: value.integer(2, 1000).prefault('20').describe('Connections of one gateway to its database.'),
};

const operator = {
  SECRET_KEY: value
    .secret(32)
    .optional()
    .describe(
      'Encrypts the secrets that are stored. Required in production; made in DATA_DIR elsewhere, as the next ones.',
    ),
  SECRET_KEY_PREVIOUS: value
    .secret(32)
    .optional()
    .describe('The SECRET_KEY before this one, until npm run secrets:rotate has sealed everything anew.'),
  GATEWAY_JWT_SECRET: value
    .secret(32)
    .optional()
    .describe('Signs gateway tokens (HS256). Required in production; derived from SECRET_KEY elsewhere.'),
  ADMIN_KEY: value
    .secret(16)
    .optional()
    .describe("The operator's key for /orchestrator and /admin. Required in production."),
  ADMIN_EMAIL: z
    .email('must be an e-mail address')
    .max(254)
    .optional()
    .describe('E-mail address of the first admin. Required in production.'),
  ADMIN_PASSWORD: value
    .secret(8)
    .pipe(z.string().max(256))
    .optional()
    .describe("The first admin's password, used when the account is made. Required in production."),
  ADMIN_REQUIRE_TOTP: value.flag
    .optional()
    .describe("Whether an admin's session needs two factors. Default: true in production."),
  AUDIT_RETENTION_DAYS: value
    .integer(1, 3650)
    .prefault('365')
    .describe('What operators did is kept so long.'),
};

const sessions = {
  SESSION_COOKIE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'must be a cookie name')
    .prefault('session')
    .describe(
      'Name of the session cookie; with the prefix __Host- or __Secure- a browser takes it by https only.',
    ),
  SESSION_COOKIE_DOMAIN: z
    .string()
    .optional()
    .describe('Domain of the session cookie. Default: this host only.'),
  SESSION_COOKIE_SECURE: value.flag
    .optional()
    .describe('Send the session cookie by https only. Default: true in production.'),
  SESSION_COOKIE_SAMESITE: z
    .enum(['Lax', 'Strict', 'None'])
    .prefault('Lax')
    .describe('Lax, Strict or None, which needs SESSION_COOKIE_SECURE.'),
  SESSION_TTL_DAYS: value
    .integer(1, 365)
    .prefault('30')
    .describe('A session ends after so many days without use; one by OIDC after 8 hours.'),
  SIGNUPS_PER_HOUR: value
    .integer(0, 1_000_000)
    .prefault('30')
    .describe('Accounts that one network (a /24, a /56 of IPv6) may make in an hour; 0: no limit.'),
  REDIS_URL: value.redisUrl
    .optional()
    .describe('Redis for sessions, sign-ins under way and rate limits. Default: PostgreSQL and memory.'),
};

const oidc = {
  OIDC_ISSUER: value.httpUrlAsIs
    .optional()
    .describe('The OpenID provider, which turns GET /auth/login on. Set these three, or none of them.'),
  OIDC_CLIENT_ID: z.string().optional().describe('What the provider knows Sluice as.'),
  OIDC_CLIENT_SECRET: z.string().optional().describe('Its secret there.'),
  OIDC_REDIRECT_PATH: value.ownPath
    .prefault('/auth/callback')
    .describe('Where the provider sends browsers back to: APP_URL and this path.'),
  OIDC_SCOPES: z
    .string()
    .regex(/^\S+( \S+)*$/, 'must be scopes separated by single spaces')
    .prefault('openid profile email offline_access')
    .refine((scopes) => scopes.split(' ').includes('openid'), 'must name openid')
    .describe('What is asked for.'),
  OIDC_AUTHORIZATION_ENDPOINT: value.httpUrlAsIs
    .optional()
    .describe(
      'Where browsers are sent to sign in. Default of this and the next four: the discovery document.',
    ),
  OIDC_TOKEN_ENDPOINT: value.httpUrlAsIs.optional().describe('Where codes and refresh tokens are redeemed.'),
  OIDC_USERINFO_ENDPOINT: value.httpUrlAsIs.optional().describe('What GET /whoami/me asks.'),
  OIDC_REVOCATION_ENDPOINT: value.httpUrlAsIs.optional().describe('Told of the tokens of whoever signs out.'),
  OIDC_JWKS_URI: value.httpUrlAsIs.optional().describe('The keys that ID tokens are signed with.'),
  ID_TOKEN_MAX_AGE_SECONDS: value
    .integer(0, 86_400)
    .prefault('0')
    .describe('How long ago an ID token may have been issued; 0: only its own expiry counts.'),
  TOKEN_REFRESH_SKEW_SECONDS: value
    .integer(0, 3600)
    .prefault('60')
    .describe('An access token is refreshed when it expires within so many seconds.'),
};

const mail = {
  SMTP_URL: value.smtpUrl
    .optional()
    .describe(
      'smtp://user:password@host:587 or smtps://. Without it mail goes to the log, in production nowhere.',
    ),
  MAIL_FROM: value.mailbox
    .prefault('Sluice <noreply@localhost.localdomain>')
    .describe('Sender of the mails: an address, or Name <address>.'),
  REQUIRE_VERIFIED_EMAIL: value.flag
    .prefault('false')
    .describe('A customer gets a slice only once the e-mail address is verified.'),
};

const monitor = {
  MONITOR_INTERVAL_SECONDS: value
    .integer(0, 3600)
    .prefault('60')
    .describe(
      'How often slices, backends and the server are looked at; 0: never, but for the backends, every minute.',
    ),
  NOTIFY_AFTER_HOURS: value
    .decimal(0, 8760)
    .prefault('6')
    .describe('You are told of what has been down for so long; fractions are fine.'),
  APPRISE_URL: value.httpUrlAsIs
    .optional()
    .describe('Where notices are posted to an Apprise API, such as http://apprise:8000/notify/sluice.'),
  NOTIFY_WEBHOOK_URL: value.httpUrlAsIs.optional().describe('Where notices are posted as JSON.'),
  NOTIFY_WEBHOOK_SECRET: value
    .secret(16)
    .optional()
    .describe('Signs them (HMAC-SHA256, see docs/monitoring.md). Default: they are not signed.'),
};

const slices = {
  SLICE_RUNTIME: z
    .enum(['auto', 'docker', 'process'])
    .prefault('auto')
    .describe('auto: docker when SLICE_IMAGE is set, else process (which isolates nothing).'),
  SLICE_IMAGE: z.string().optional().describe('The image of your app, for the docker runtime.'),
  SLICE_COMMAND: command.optional().describe('What the process runtime runs. Default: the notes sample app.'),
  SLICE_PORT_RANGE: value.portRange.prefault('5001-5999').describe('Loopback ports for slices.'),
  SLICE_HEALTH_PATH: z
    .string()
    .regex(/^\/\S*$/, 'must be a path such as /health')
    .prefault('/health')
    .describe('A slice is ready when this path answers 2xx.'),
  SLICE_MEMORY: value.bytes.prefault('256m').describe('Memory of a slice, such as 256m or 1g.'),
  SLICE_CPUS: value.decimal(0.01, 128).prefault('0.5').describe('CPU cores of a slice.'),
  SLICE_POOL_SIZE: value
    .integer(0, 100)
    .prefault('1')
    .describe('Ready slices without an owner, so that a sign-up gets one at once.'),
  SLICE_AUTO_PROVISION: value.flag
    .prefault('true')
    .describe('Provision a slice at sign-up when no ready one is left.'),
  SLICE_DB_PASSWORD: value
    .secret(16)
    .optional()
    .describe("Root of the slices' database passwords. Default: derived from SECRET_KEY."),
  SLICE_ENV: value.jsonEnvironment.prefault('{}').describe('Variables for every slice, as a JSON object.'),
  SLICE_DB_CONNECTIONS: value
    .integer(1, 1000)
    .prefault('10')
    .describe('Connections that one slice may have to its database.'),
  SLICE_NETWORK: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/, 'must be a name of letters, digits, dot, dash and underscore')
    .optional()
    .describe('When the gateway is a container: prefix of the networks that it shares with each slice.'),
  SLICE_SUBNETS: value.subnetPool
    .prefault('10.213.0.0/16')
    .describe(
      'Where those networks lie, a /28 each (4,096 in a /16); an IPv4 network that nothing else here uses.',
    ),
  SLICE_DB_HOST: z
    .string()
    .optional()
    .describe(
      'Where slices find PostgreSQL. Default: DB_HOST, or the host of the containers when that is loopback.',
    ),
  SLICE_PATHS: value.pathList
    .prefault('/api,/socket.io,/app')
    .describe("Paths that lead to the customer's slice."),
  SLICE_MAX_IN_FLIGHT: value
    .integer(1, 100_000)
    .prefault('200')
    .describe('Requests that one slice gets at the same time; more are told to come back (503).'),
  SLICE_START_TIMEOUT: value
    .integer(1, 3600)
    .prefault('60')
    .describe('Seconds until a slice must be healthy.'),
  SLICE_RETENTION_DAYS: value
    .integer(1, 3650)
    .prefault('30')
    .describe('The data of a slice is kept for so many days after its customer or subscription ended.'),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix|tcp|http|https):\/\//, 'must start with unix:// or tcp://')
    .optional()
    .describe('The Docker Engine. Default: its socket.'),
};

/**
 * Every variable Sluice reads. The descriptions become `.env.example`. A variable that is set to the empty string
 * counts as not set.
 */
export const environmentSchema = z.object({
  ...running,
  ...reached,
  ...database,
  ...operator,
  ...sessions,
  ...oidc,
  ...mail,
  ...monitor,
  ...slices,
  ...billing,
});

/** The same variables, in the order in which a person wants to read of them. */
export const ENVIRONMENT_GROUPS: ReadonlyArray<{
  readonly title: string;
  readonly variables: Partial<typeof environmentSchema.shape>;
}> = [
  { title: 'How it runs', variables: running },
  { title: 'Where it is reached', variables: reached },
  { title: 'PostgreSQL', variables: database },
  { title: 'Secrets, and the operator', variables: operator },
  { title: 'Sessions of browsers', variables: sessions },
  { title: 'Sign-in by OpenID Connect', variables: oidc },
  { title: 'Mail', variables: mail },
  { title: 'Monitoring and notices', variables: monitor },
  { title: 'Slices: what runs for each customer', variables: slices },
  { title: 'Billing by Stripe', variables: billing },
];

export type Environment = z.infer<typeof environmentSchema>;

/** Other names the same variables are known by. */
export const ALIASES: Readonly<Record<string, keyof Environment>> = {
  SERVICE_PORT: 'PORT',
  APP_BASE_URL: 'APP_URL',
  CORS_ORIGIN: 'ALLOWED_ORIGINS',
  MONITOR_NOTIFY_AFTER_HOURS: 'NOTIFY_AFTER_HOURS',
};
