import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Connection, EmbeddedPostgres } from '#database';
import { lockKey } from '../../../libs/database/src/control/lock-key.js';
import type { Browser } from '../../support/clients.js';
import { terminateControl } from '../../support/control.js';
import { ECHO_SLICES } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { closeServer, freePort, occupyPort } from '../../support/free-port.js';
import { PASSWORD } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import { withClient } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { closeCode, openSocket } from '../../support/sockets.js';

/** sysexits.h: EX_CONFIG. */
const UNUSABLE_CONFIGURATION = 78;

/** A program on a data directory of its own, with the embedded PostgreSQL. */
let dataDir: string;
let env: Record<string, string>;
const started: GatewayProgram[] = [];

async function newDataDir(): Promise<void> {
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-program-'));
  const firstPort = await freePort();
  env = {
    DATA_DIR: dataDir,
    SLICE_POOL_SIZE: '0',
    SLICE_PORT_RANGE: `${firstPort}-${firstPort + 20}`,
    SHUTDOWN_TIMEOUT_SECONDS: '5',
  };
}

async function removeDataDir(): Promise<void> {
  for (const program of started.splice(0)) await program.stop();
  await rm(dataDir, { recursive: true, force: true });
}

function run(extra: Record<string, string> = {}, nodeArgs: string[] = []): GatewayProgram {
  const program = GatewayProgram.run({ env: { ...env, ...extra }, nodeArgs });
  started.push(program);
  return program;
}

async function start(extra: Record<string, string> = {}, nodeArgs: string[] = []): Promise<GatewayProgram> {
  const program = run(extra, nodeArgs);
  await program.ready();
  return program;
}

async function signUp(gateway: GatewayProgram, readyPath = '/api/notes'): Promise<Browser> {
  const browser = gateway.browser();
  await browser.register('ada@example.com', PASSWORD);
  await eventually(async () => expect((await browser.get(readyPath)).status).toBe(200), 20_000);
  return browser;
}

/** Every process that has to do with the data directory: gateway, PostgreSQL, slices. */
async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const related = await Promise.all(pids.map((pid) => mentions(pid, basename(dataDir))));
  return pids.filter((_pid, i) => related[i]);
}

async function mentions(pid: string, text: string): Promise<boolean> {
  const parts = [
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
    readFile(`/proc/${pid}/environ`, 'utf8'),
    readlink(`/proc/${pid}/cwd`),
  ];
  // One that ends just now, or is not ours to look at.
  const told = await Promise.all(parts.map((part) => part.catch(() => '')));
  return told.some((each) => each.includes(text));
}

/** How to reach the embedded PostgreSQL of the data directory, as the gateway does. */
async function embeddedConnection(): Promise<Connection> {
  const [port, password] = await Promise.all(
    ['port', 'password'].map((name) => readFile(join(dataDir, 'postgres', name), 'utf8')),
  );
  return { host: '127.0.0.1', port: Number(port), user: 'sluice', password, database: 'sluice', ssl: false };
}

/** Opens an upload and sends its first half. Gives what sends the rest, and tells the answer's status. */
async function halfAnUpload(gateway: GatewayProgram, cookie: string): Promise<() => Promise<number>> {
  const upload = request(`${gateway.url}/api/upload`, {
    method: 'PUT',
    headers: { cookie, 'content-length': '10', expect: '100-continue' },
  });
  upload.flushHeaders();
  // Asked for the body, so it is under way: the app has it.
  await once(upload, 'continue');
  upload.write('first');
  return async () => {
    const answered = once(upload, 'response');
    upload.end('-half');
    const [response]: [IncomingMessage] = (await answered) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
}

describe('the gateway as a program, when it is asked to stop', () => {
  beforeEach(newDataDir);
  afterEach(removeDataDir);

  it('finishes what is under way, says goodbye to WebSockets, and leaves nothing running', async () => {
    const gateway = await start(ECHO_SLICES);
    const { cookie } = await signUp(gateway, '/api/x');
    const socket = await openSocket(`${gateway.url}/api/live`, { cookie });
    const goodbye = closeCode(socket);
    const finish = await halfAnUpload(gateway, cookie);
    // The gateway and a slice at the least; a PostgreSQL that runs as nobody may have its data elsewhere.
    expect((await processes()).length).toBeGreaterThan(1);
    gateway.signal('SIGTERM');
    expect(await goodbye).toBe(1001);
    expect(await finish()).toBe(200);
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    await eventually(async () => expect(await processes()).toEqual([]));
  }, 40_000);

  it('leaves nothing running when that is in the middle of its start', async () => {
    const gateway = run({ LOG_LEVEL: 'info' });
    await gateway.said(/PostgreSQL started/);
    gateway.signal('SIGINT');
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    await eventually(async () => expect(await processes()).toEqual([]));
  }, 40_000);

  it('does not wait any longer for a database that does not answer', async () => {
    const gateway = run({ DATABASE_URL: `postgres://x:y@127.0.0.1:${await freePort()}/z` });
    await gateway.said(/does not answer yet/);
    gateway.signal('SIGINT');
    const { code, signal, output } = await gateway.ended;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(output).not.toMatch(/abort/i);
  }, 10_000);
});

describe('the gateway as a program, when its start fails', () => {
  beforeEach(newDataDir);
  afterEach(removeDataDir);

  it('leaves nothing running when the schema can not be brought up to date', async () => {
    const postgres = await EmbeddedPostgres.start({
      dataDir: join(dataDir, 'postgres'),
      logger: quietLogger,
    });
    await withClient(postgres.connection, (client) => client.query('CREATE TABLE "user" (in_the_way int)'));
    await postgres.stop();
    const { code, output } = await run().ended;
    expect(code).toBe(1);
    expect(output).toContain('relation "user" already exists');
    await eventually(async () => expect(await processes()).toEqual([]));
  }, 40_000);
});

describe('the gateway as a program, on a data directory that was used before', () => {
  beforeAll(newDataDir);
  afterAll(removeDataDir);
  let customer: Browser;

  it('refuses to share it, says how to share a database, and does the first one no harm', async () => {
    const first = await start();
    customer = await signUp(first);
    await customer.post('/api/notes', { title: 'kept' });
    const second = await run().ended;
    expect(second.code).toBe(1);
    expect(second.output).toMatch(/Another gateway already runs on this data directory.*DATABASE_URL/);
    expect(second.output).not.toContain('    at ');
    expect((await customer.get('/api/notes')).body).toEqual([expect.objectContaining({ title: 'kept' })]);
    expect((await customer.get('/auth/me')).status).toBe(200);
  }, 40_000);

  it('keeps it when its connection to the database was cut', async () => {
    await terminateControl({ connection: await embeddedConnection() });
    const second = await run().ended;
    expect(second.code).toBe(1);
    expect(second.output).toContain('Another gateway already runs on this data directory');
    expect((await customer.get('/auth/me')).status).toBe(200);
  }, 40_000);

  it('has everything still when it was killed', async () => {
    const [killed] = started;
    killed?.signal('SIGKILL');
    await killed?.ended;
    const again = await start();
    const { cookie } = customer;
    const back = again.browser();
    back.cookie = cookie;
    await eventually(async () => expect((await back.get('/api/notes')).status).toBe(200));
    expect((await back.get('/api/notes')).body).toEqual([expect.objectContaining({ title: 'kept' })]);
    expect((await back.get('/auth/me')).body.user.email).toBe('ada@example.com');
  }, 40_000);

  it('logs what nobody caught and ends, and has everything still after that', async () => {
    for (const program of started.splice(0)) await program.stop();
    // The fault comes from outside, as one of a library would: the program has no switch for it.
    const fault = "process.on('SIGUSR2', () => { throw new Error('thrown where nobody catches') })";
    const faulty = await start({}, ['--import', `data:text/javascript,${encodeURIComponent(fault)}`]);
    faulty.signal('SIGUSR2');
    const { code, signal, output } = await faulty.ended;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(output).toContain('thrown where nobody catches');
    const again = await start();
    const { status } = await again.browser().login('ada@example.com', PASSWORD);
    expect(status).toBe(200);
  }, 40_000);

  it('ends, and leaves the database running, when another took it while the connection was cut', async () => {
    for (const program of started.splice(0)) await program.stop();
    const ousted = await start();
    const connection = await embeddedConnection();
    await withClient(connection, async (other) => {
      const claimed = other.query('SELECT pg_advisory_lock($1)', [lockKey('data-dir')]);
      await withClient(connection, (client) =>
        eventually(async () =>
          expect((await client.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount).toBe(1),
        ),
      );
      await terminateControl({ connection });
      await claimed;
      const { code, output } = await ousted.ended;
      expect(code).toBe(1);
      expect(output).toContain('the data directory was taken');
      expect((await other.query('SELECT 1')).rowCount).toBe(1);
    });
    await (await start()).stop();
    await eventually(async () => expect(await processes()).toEqual([]));
  }, 60_000);

  it('leaves nothing running when its port is taken', async () => {
    for (const program of started.splice(0)) await program.stop();
    const port = await freePort();
    const stranger = await occupyPort(port);
    const { code, output } = await run({ PORT: String(port) }).ended;
    await closeServer(stranger);
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} of 127.0.0.1 is in use. Set PORT to another one.`);
    await eventually(async () => expect(await processes()).toEqual([]));
  }, 40_000);
});

describe('the gateway as a program, with an environment it can not use', () => {
  it('tells every fault at once, and ends before it touches anything', async () => {
    await newDataDir();
    const { code, output } = await run({
      DATA_DIR: join(dataDir, 'never'),
      PORT: '99999',
      TRUST_PROXY: 'nowhere',
      ADMIN_KEY: 'changeme',
      SLICE_PORT_RANGE: '10-1',
      DATABASE_URL: 'mysql://x',
      GATEWAY_JWT_SECRET: 'too short',
      ADMIN_PASSWORD: 'changeme',
      SESSION_COOKIE_SAMESITE: 'None',
      OIDC_ISSUER: 'https://login.example.com',
    }).ended;
    expect(code).toBe(UNUSABLE_CONFIGURATION);
    const faulty = ['PORT', 'ADMIN_KEY', 'SLICE_PORT_RANGE', 'DATABASE_URL', 'TRUST_PROXY'];
    faulty.push('GATEWAY_JWT_SECRET', 'ADMIN_PASSWORD', 'SESSION_COOKIE_SAMESITE', 'OIDC_CLIENT_SECRET');
    for (const name of faulty) expect(output).toContain(name);
    expect(output).not.toContain('    at ');
    expect(existsSync(join(dataDir, 'never'))).toBe(false);
    await removeDataDir();
  }, 20_000);
});
