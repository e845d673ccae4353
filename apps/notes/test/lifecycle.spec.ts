import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { io } from 'socket.io-client';
import { runApp, startApp, type TestApp } from './support/app.ts';
import { startPostgres, type TestPostgres } from './support/postgres.ts';
import { until } from './support/until.ts';

let postgres: TestPostgres;
const apps: TestApp[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map(async (app) => await app.remove()));
});

afterAll(async () => {
  await postgres.remove();
});

async function start(...args: Parameters<typeof startApp>): Promise<TestApp> {
  const app = await startApp(...args);
  apps.push(app);
  return app;
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Makes an empty database of the test's own. */
async function freshDatabase(name: string): Promise<string> {
  await query(postgres.url, `create database ${name}`);
  return databaseUrl(name);
}

function databaseUrl(name: string): string {
  return Object.assign(new URL(postgres.url), { pathname: name }).href;
}

async function healthOf(app: TestApp): Promise<number> {
  return (await app.call('GET', '/health')).status;
}

describe('the environment', () => {
  it('is refused as a whole when it cannot be used', async () => {
    const { exitCode, lines } = await runApp({ PORT: 'http' });
    expect(exitCode).toBe(78);
    expect(lines).toMatchObject([
      { event: 'environment.unusable', faults: [/PORT/, /DATABASE_URL/].map(matching) },
    ]);
  });
});

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe('the schema', () => {
  it('is made once, by whichever of two instances is first', async () => {
    const url = await freshDatabase('twice');
    const both = await Promise.all([start({ DATABASE_URL: url }), start({ DATABASE_URL: url })]);
    const applied = both.map(
      ({ lines }) => lines.find((line) => line.event === 'database.ready')?.['applied'],
    );
    expect(applied.flat()).toEqual(['0001-note.sql']);
    expect(await query(url, 'select name from schema_migrations')).toEqual([{ name: '0001-note.sql' }]);
  });

  it('is changed by one instance at a time, and nothing is served before it stands', async () => {
    const url = await freshDatabase('locked');
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query('select pg_advisory_lock(7238041)');
    const app = await start({ DATABASE_URL: url }, { ready: false });
    const waiting = `select 1 from pg_locks where locktype = 'advisory' and not granted`;
    await until(async () => (await query(url, waiting)).length === 1);
    expect(await healthOf(app)).toBe(503);
    expect((await app.call('GET', '/api/notes')).status).toBe(503);
    await other.end();
    await app.logged('database.ready');
    expect(await healthOf(app)).toBe(200);
  });

  it('that PostgreSQL refuses ends the process and changes nothing', async () => {
    const url = await freshDatabase('occupied');
    await query(url, 'create table note (something_else text)');
    const dataDir = await mkdtemp(join(tmpdir(), 'notes-data-'));
    const { exitCode, lines } = await runApp({ DATABASE_URL: url, PORT: '0', DATA_DIR: dataDir });
    await rm(dataDir, { recursive: true });
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      event: 'uncaught',
      error: expect.stringContaining('already exists'),
    });
    expect(await query(url, `select to_regclass('schema_migrations') as found`)).toEqual([{ found: null }]);
  });
});

describe('a database that goes away', () => {
  it('is 503 meanwhile, and the app comes back with it', async () => {
    const app = await start({ DATABASE_URL: postgres.url });
    expect(await healthOf(app)).toBe(200);
    await postgres.stop();
    expect(await app.call('GET', '/health')).toMatchObject({
      status: 503,
      body: { code: 'DATABASE_UNAVAILABLE' },
    });
    expect(await app.call('POST', '/api/notes', { title: 'x' })).toMatchObject({ status: 503 });
    await postgres.start();
    await until(async () => (await healthOf(app)) === 200);
    expect((await app.call('POST', '/api/notes', { title: 'x' })).status).toBe(201);
  });

  it('is waited for at the start', async () => {
    await postgres.stop();
    const app = await start({ DATABASE_URL: postgres.url }, { ready: false });
    expect(await healthOf(app)).toBe(503);
    await app.logged('database.unavailable');
    await postgres.start();
    await until(async () => (await healthOf(app)) === 200);
  });
});

describe('a database that refuses us', () => {
  it('is waited for while it does not exist yet', async () => {
    const app = await start({ DATABASE_URL: databaseUrl('late') }, { ready: false });
    await app.logged('database.unavailable');
    await freshDatabase('late');
    await until(async () => (await healthOf(app)) === 200);
  });
});

describe('SIGTERM', () => {
  it('lets a request in flight finish, closes live and idle connections, and exits with 0', async () => {
    const app = await start({ DATABASE_URL: postgres.url });
    const socket = io(app.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await new Promise<void>((resolve) => void socket.on('connect', resolve));
    const upload = request(`${app.url}/api/files/late`, {
      method: 'PUT',
      headers: { Expect: '100-continue' },
    });
    upload.flushHeaders();
    await once(upload, 'continue');

    const gone = new Promise((resolve) => void socket.on('disconnect', resolve));
    const exit = app.stop('SIGTERM');
    await gone;
    upload.end('the rest');
    const [response] = await once(upload, 'response');
    expect(response.statusCode).toBe(201);
    response.resume();
    expect(await exit).toBe(0);
    const [stopping, stopped] = [await app.logged('stopping'), await app.logged('stopped')];
    // It ended because all was done, not because the five seconds for that were over.
    expect(Date.parse(String(stopped['time'])) - Date.parse(String(stopping['time']))).toBeLessThan(4000);
  });

  it('ends an app that still waits for its database', async () => {
    await postgres.stop();
    const app = await start({ DATABASE_URL: postgres.url }, { ready: false });
    await app.logged('database.unavailable');
    const exitCode = await app.stop('SIGTERM');
    await postgres.start();
    expect(exitCode).toBe(0);
  });
});
