import { z } from 'zod';
import * as value from './values.js';

/** A command line split at blanks; a program with blanks in its path needs a wrapper script. */
const command = z.string().transform((text) => text.trim().split(/\s+/));

/**
 * Every variable Sluice reads. The descriptions become `.env.example`. A variable that is set to the empty string
 * counts as not set.
 */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .describe('production: JSON logs, Secure cookies, and no generated secrets.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least severe log line that is written.'),

  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container.'),
  PORT: value.integer(0, 65_535).default(3000).describe('Port to listen on (alias SERVICE_PORT).'),
  APP_URL: value.httpUrl
    .optional()
    .describe('Where customers reach Sluice (alias APP_BASE_URL). Default: http://localhost:PORT.'),
  TRUST_PROXY: value.list
    .default([])
    .describe(
      'Addresses or networks of the proxies in front, comma-separated: only their X-Forwarded-* count.',
    ),
  ALLOWED_ORIGINS: value.originList
    .default([])
    .describe('More origins that browsers may call from, comma-separated (alias CORS_ORIGIN).'),
  SHUTDOWN_TIMEOUT_SECONDS: value
    .integer(0, 3600)
    .default(30)
    .describe('How long a stop waits for requests and WebSockets to end.'),

  DATA_DIR: z
    .string()
    .default('.data')
    .describe('Embedded PostgreSQL, generated secrets, data of process slices.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres://')
    .optional()
    .describe('PostgreSQL 14 or newer; or DB_HOST … below. Neither: an embedded PostgreSQL in DATA_DIR.'),
  DB_HOST: z.string().optional().describe('Host of PostgreSQL.'),
  DB_PORT: value.integer(1, 65_535).default(5432).describe('Port of PostgreSQL.'),
  DB_NAME: z.string().default('sluice').describe("The gateway's own database."),
  DB_USER: z.string().default('sluice').describe('A role that may create databases and roles.'),
  DB_PASSWORD: z.string().optional().describe('Its password.'),
  DB_POOL_MAX: value.integer(2, 1000).default(20).describe('Connections of one gateway to its database.'),

  SECRET_KEY: value
    .secret(32)
    .optional()
    .describe('Encrypts the secrets that are stored. Required in production.'),
  ADMIN_KEY: value
    .secret(16)
    .optional()
    .describe("The operator's key for /orchestrator and /admin. Required in production."),
  ADMIN_EMAIL: z.email('must be an e-mail address').max(254).optional().describe('The first admin.'),
  ADMIN_PASSWORD: value
    .secret(8)
    .pipe(z.string().max(256))
    .optional()
    .describe("The first admin's password, used when the account is created."),

  SESSION_COOKIE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'must be a cookie name')
    .default('session')
    .describe('Name of the session cookie; the prefix __Host- is accepted.'),
  SESSION_COOKIE_DOMAIN: z
    .string()
    .optional()
    .describe('Domain of the session cookie. Default: this host only.'),
  SESSION_COOKIE_SECURE: value.flag
    .optional()
    .describe('Send the session cookie by https only. Default: true in production.'),
  SESSION_COOKIE_SAMESITE: z
    .enum(['Lax', 'Strict', 'None'])
    .default('Lax')
    .describe('None needs SESSION_COOKIE_SECURE.'),
  SESSION_TTL_DAYS: value
    .integer(1, 365)
    .default(30)
    .describe('A session ends after so many days without use.'),

  SLICE_RUNTIME: z
    .enum(['auto', 'docker', 'process'])
    .default('auto')
    .describe('auto: docker when SLICE_IMAGE is set, else process (which isolates nothing).'),
  SLICE_IMAGE: z.string().optional().describe('The image of your app, for the docker runtime.'),
  SLICE_COMMAND: command.optional().describe('What the process runtime runs. Default: the notes sample app.'),
  SLICE_PORT_RANGE: value.portRange.default({ from: 5001, to: 5999 }).describe('Loopback ports for slices.'),
  SLICE_HEALTH_PATH: z
    .string()
    .regex(/^\/\S*$/, 'must be a path such as /health')
    .default('/health')
    .describe('A slice is ready when this path answers 2xx.'),
  SLICE_MEMORY: value.bytes.default(256 * 1024 ** 2).describe('Memory of a slice, such as 256m or 1g.'),
  SLICE_CPUS: value.decimal(0.01, 128).default(0.5).describe('CPU cores of a slice.'),
  SLICE_POOL_SIZE: value
    .integer(0, 100)
    .default(1)
    .describe('Ready slices without an owner, so that a sign-up gets one at once.'),
  SLICE_AUTO_PROVISION: value.flag
    .default(true)
    .describe('Provision a slice at sign-up when no ready one is left.'),
  SLICE_DB_PASSWORD: value
    .secret(16)
    .optional()
    .describe("Root of the slices' database passwords. Default: derived from SECRET_KEY."),
  SLICE_ENV: value.jsonEnvironment.default({}).describe('Variables for every slice, as a JSON object.'),
  SLICE_DB_CONNECTIONS: value
    .integer(1, 1000)
    .default(10)
    .describe('Connections that one slice may have to its database.'),
  SLICE_NETWORK: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/, 'must be a name of letters, digits, dot, dash and underscore')
    .optional()
    .describe('When the gateway is a container: prefix of the networks that it shares with each slice.'),
  SLICE_DB_HOST: z
    .string()
    .optional()
    .describe(
      'Where slices find PostgreSQL. Default: DB_HOST, or the host of the containers when that is loopback.',
    ),
  SLICE_PATHS: value.pathList
    .default(['/api', '/socket.io', '/app'])
    .describe("Paths that lead to the customer's slice."),
  SLICE_START_TIMEOUT: value.integer(1, 3600).default(60).describe('Seconds until a slice must be healthy.'),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix|tcp|http|https):\/\//, 'must start with unix:// or tcp://')
    .optional()
    .describe('The Docker Engine. Default: its socket.'),
});

export type Environment = z.infer<typeof environmentSchema>;

/** Other names the same variables are known by. */
export const ALIASES: Readonly<Record<string, keyof Environment>> = {
  SERVICE_PORT: 'PORT',
  APP_BASE_URL: 'APP_URL',
  CORS_ORIGIN: 'ALLOWED_ORIGINS',
};
