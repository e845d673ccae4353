import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { generateSync } from 'otplib';
import { SecretBox } from '#common';
import { Client, OperatorClient } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { testEnvironment } from '../support/gateway.js';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.js';

const LOADER = pathToFileURL('test/support/typescript-loader.ts').href;
const MAIN = join(process.cwd(), 'apps/gateway/src/main.ts');

/** What was told the gateway in confidence, by the name it is found under when it leaks. */
const secrets = {
  adminKey: 'operators-key-4f1c0d9a',
  wrongAdminKey: 'guessed-key-77aa13',
  adminPassword: 'admins-password-90ce1b',
  secretKey: 'secret-key-5b1f27d3-which-is-long-enough',
  jwtSecret: 'jwt-secret-c6d80e11-which-is-long-enough',
  sliceDatabaseRoot: 'root-of-slice-passwords-61dd',
  configuredEnv: 'configured-value-aa61f0',
  operatorsEnv: 'operators-value-0c77be',
  password: 'customers-password-3e8b55',
  wrongPassword: 'mistyped-password-19d2',
  token: 'token-in-a-query-8d3f',
  cookie: 'somebodys-session-27ce40',
  wrongCode: 'mistyped-code-5e01d7',
  providersCode: 'code-of-a-provider-93b0aa',
  providersState: 'state-of-a-sign-in-1c64f2',
  mailPassword: 'password-of-the-mailbox-b83e',
  redisPassword: 'password-of-redis-2fd917',
};

describe.each(['production', 'development'])(
  'what a gateway writes to its log in %s, at the level trace',
  (mode) => {
    let database: TestDatabase;
    let folder: string;
    let gateway: ChildProcess;
    const log: string[] = [];
    let output: string;
    const alsoSecret: Record<string, string> = {};

    beforeAll(async () => {
      database = await createTestDatabase();
      folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
      const port = await freePort();
      alsoSecret['databasePassword'] = database.connection.password ?? '';
      gateway = start(folder, environment(mode, folder, database.url, port), log);
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), 20_000);
      await useIt(url, database, alsoSecret);
      output = log.join('');
    }, 60_000);
    afterAll(async () => {
      await stop(gateway);
      await rm(folder, { recursive: true, force: true });
      await database.drop();
    });

    it('tells what was done, and what failed', () => {
      const told = ['/auth/register', '/orchestrator/provision', '[redacted]', 'QueryFailedError'];
      expect(told.filter((text) => !output.includes(text))).toEqual([]);
    });

    it('holds no secret', () => {
      expect(namesOf({ ...secrets, ...alsoSecret }, output)).toEqual([]);
    });

    it('holds no hash of a password, and nothing of the rows that the database refused', () => {
      const texts = { hash: '$argon2', parameters: '"parameters"', detail: 'Failing row contains' };
      expect(namesOf(texts, output)).toEqual([]);
    });
  },
);

it('a gateway whose Redis and mail server are away tells of both in its log, without their passwords', async () => {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
  const port = await freePort();
  const log: string[] = [];
  const env = environment('production', folder, database.url, port);
  const redis = `redis://:${secrets.redisPassword}@127.0.0.1:1/0`;
  const gateway = start(folder, { ...env, REDIS_URL: redis }, log);
  try {
    const url = `http://127.0.0.1:${port}`;
    await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), 20_000);
    await new Client(url).post('/auth/register', { email: 'ada@example.com', password: secrets.password });
    await eventually(async () => {
      for (const told of ['that REDIS_URL has', 'a mail could not be sent yet'])
        expect(log.join('')).toContain(told);
    }, 10_000);
    expect(namesOf(secrets, log.join(''))).toEqual([]);
  } finally {
    await stop(gateway);
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  }
}, 60_000);

/** A gateway of its own, all of whose output is added to the log. */
function start(folder: string, env: NodeJS.ProcessEnv, log: string[]): ChildProcess {
  const gateway = spawn(process.execPath, ['--import', LOADER, MAIN], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  for (const stream of [gateway.stdout, gateway.stderr]) {
    stream.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  }
  return gateway;
}

async function stop(gateway: ChildProcess): Promise<void> {
  gateway.kill('SIGTERM');
  if (gateway.exitCode === null) await once(gateway, 'exit');
}

/** Which of the texts the log holds; their names alone, since a failed test is a log as well. */
function namesOf(texts: Record<string, string>, log: string): string[] {
  return Object.keys(texts).filter((name) => texts[name] === '' || log.includes(texts[name] ?? ''));
}

function environment(mode: string, dataDir: string, databaseUrl: string, port: number): NodeJS.ProcessEnv {
  return {
    ...testEnvironment(dataDir, databaseUrl),
    NODE_ENV: mode,
    LOG_LEVEL: 'trace',
    PORT: String(port),
    APP_URL: `http://127.0.0.1:${port}`,
    SECRET_KEY: secrets.secretKey,
    GATEWAY_JWT_SECRET: secrets.jwtSecret,
    ADMIN_KEY: secrets.adminKey,
    ADMIN_EMAIL: 'admin@example.com',
    ADMIN_PASSWORD: secrets.adminPassword,
    SLICE_RUNTIME: 'process',
    SLICE_DB_PASSWORD: secrets.sliceDatabaseRoot,
    // Nobody listens there: mail waits, and the log tells of it.
    SMTP_URL: `smtp://mailbox:${secrets.mailPassword}@127.0.0.1:1`,
    MAIL_FROM: 'Sluice <noreply@sluice.example>',
    SLICE_ENV: JSON.stringify({ CONFIGURED: secrets.configuredEnv }),
  };
}

/** A day in the life of a gateway, the bad moments included. */
async function useIt(url: string, database: TestDatabase, alsoSecret: Record<string, string>): Promise<void> {
  const { password, wrongPassword, adminKey, wrongAdminKey, token, cookie, operatorsEnv } = secrets;
  const stranger = new Client(url);
  const operator = new OperatorClient(url, adminKey);
  const account = { email: 'ada@example.com', password };

  const registered = await stranger.post('/auth/register', account);
  const session = registered.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
  alsoSecret['session'] = session.split('=')[1] ?? '';
  await stranger.post('/auth/register', account);
  await stranger.post('/auth/login', account);
  await stranger.post('/auth/login', { ...account, password: wrongPassword });
  await stranger.post('/auth/login', { ...account, password: { is: wrongPassword } });
  await stranger.post('/auth/login', `{"password":"${password}"`);
  await stranger.post('/auth/login', `${password} is no JSON`);
  await stranger.get('/auth/me', { headers: { cookie: session } });
  await stranger.get('/api/notes', { headers: { cookie: session } });
  await stranger.get('/auth/me', { headers: { cookie: `session=${cookie}` } });
  await stranger.get('/orchestrator/status', { headers: { authorization: `Bearer ${wrongAdminKey}` } });
  await stranger.get('/orchestrator/status', { headers: { authorization: `Bearer ${adminKey}` } });
  for (const name of [
    'key',
    'admin_key',
    'token',
    'access_token',
    'code',
    'state',
    'X-Admin-Key',
    'password',
  ]) {
    await stranger.get(`/orchestrator/status?a=1&${name}=${name.includes('ey') ? adminKey : token}&b=2`);
  }
  const { body } = await operator.provision({ name: 'acme', env: { OPERATORS: operatorsEnv } });
  expect(body).toMatchObject({ status: 'active' });
  const root = new SecretBox(secrets.sliceDatabaseRoot);
  alsoSecret['sliceDatabasePassword'] = root
    .mac('slice-database-password', String(body.id))
    .toString('base64url');
  await operator.provision({ name: 'broken', env: { OPERATORS: operatorsEnv, PORT: [operatorsEnv] } });
  await operator.destroy(body.id);
  await useTwoFactorsAndTokens(stranger, alsoSecret);
  await useKeysAndLinks(stranger, operator, database, alsoSecret);
  await failInTheDatabase(stranger, operator, database);
}

/** What these give is shown once, and to whoever asked for it alone. */
async function useTwoFactorsAndTokens(stranger: Client, alsoSecret: Record<string, string>): Promise<void> {
  const account = { email: 'bob@example.com', password: secrets.password };
  const registered = await stranger.post('/auth/register', account);
  const cookie = registered.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
  const enrolment = await stranger.post('/auth/totp/enroll', {}, { cookie });
  const secret: string = enrolment.body.secret;
  const confirmed = await stranger.post('/auth/totp/confirm', { code: generateSync({ secret }) }, { cookie });
  const [totp]: string[] = confirmed.body.recoveryCodes;
  await stranger.post('/auth/login', { ...account, totp });
  await stranger.post('/auth/login', { ...account, totp });
  await stranger.post('/auth/login', { ...account, totp: secrets.wrongCode });
  await stranger.post('/auth/totp/confirm', { code: secrets.wrongCode }, { cookie });

  const { token } = (await stranger.post('/auth/guest', {})).body;
  const headers = { authorization: `Bearer ${token}` };
  await stranger.get('/orchestrator/status', { headers });
  await stranger.get(`/api/notes?access_token=${token}`, { headers: { ...headers, cookie } });
  Object.assign(alsoSecret, { totpSecret: secret, recoveryCode: totp, guestToken: token });
}

/** What workers, mailed links and the way back from a provider carry in headers, bodies and addresses. */
async function useKeysAndLinks(
  stranger: Client,
  operator: OperatorClient,
  database: TestDatabase,
  alsoSecret: Record<string, string>,
): Promise<void> {
  const made = await operator.post('/api/apikeys/generate', { name: 'worker', worker_type: 'ping' });
  const { key } = made.body;
  await stranger.get('/orchestrator/status', { headers: { authorization: `Bearer ${key}` } });
  for (const name of ['key', 'api_key', 'apikey']) await stranger.get(`/api/notes?${name}=${key}`);
  await operator.send('DELETE', `/api/apikeys/revoke?key=${key}`);
  await operator.send('DELETE', `/api/apikeys/revoke?key=${key}x`);

  const token = await mailedToken(database);
  await stranger.get(`/auth/verify?token=${token}`);
  await stranger.get(`/auth/password/reset?token=${token}`);
  for (let i = 0; i < 2; i++) await stranger.post('/auth/verify', { token });
  await stranger.post('/auth/password/reset', { token, password: secrets.password });

  const { providersCode: code, providersState: state } = secrets;
  await stranger.get(`/auth/callback?code=${code}&state=${state}&session_state=${state}`);
  const admin = { username: 'admin@example.com', password: secrets.adminPassword };
  // In production an admin needs two factors first, and gets none.
  const { token: adminToken } = (await stranger.post('/auth/login', admin)).body;
  Object.assign(alsoSecret, { apiKey: key, mailedToken: token, ...(adminToken && { adminToken }) });
}

/** Of a mail that waits. */
async function mailedToken(database: TestDatabase): Promise<string> {
  const [row] = await withClient(database.connection, async (client) => {
    const { rows } = await client.query<{ id: string; sealed: Buffer }>(
      'SELECT id, sealed FROM outgoing_mail',
    );
    return rows;
  });
  const mail = row === undefined ? '' : new SecretBox(secrets.secretKey).open(row.sealed, `mail:${row.id}`);
  return /\?token=([\w-]+)/.exec(mail)?.[1] ?? '';
}

/** pg's and TypeORM's errors carry the query's parameters, and the row that was refused. */
async function failInTheDatabase(
  stranger: Client,
  operator: OperatorClient,
  database: TestDatabase,
): Promise<void> {
  await withClient(database.connection, async (client) => {
    await client.query('ALTER TABLE "user" ADD CONSTRAINT nobody CHECK (role = \'admin\') NOT VALID');
    await client.query('ALTER TABLE session RENAME COLUMN user_agent TO agent');
    await client.query('ALTER TABLE slice RENAME COLUMN env_sealed TO env');
  });
  const { password, operatorsEnv } = secrets;
  const answers = [
    await stranger.post('/auth/register', { email: 'grace@example.com', password }),
    await stranger.post('/auth/login', { email: 'ada@example.com', password }),
    await operator.provision({ name: 'failing', env: { OPERATORS: operatorsEnv } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
}
