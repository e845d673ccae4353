import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { DataSource, type QueryRunner } from 'typeorm';
import { loadConfig } from '#config';
import { type Connection, dataSourceOptions } from '#database';
import { PostgresSliceDatabase } from '../../../libs/orchestrator/src/databases/postgres-slice-database.js';
import { InstallationId } from '../../../libs/orchestrator/src/installation.js';
import { ForeignResourceError } from '../../../libs/orchestrator/src/runtimes/errors.js';
import { connectionRefusal } from '../../support/connection-refusal.js';
import { controlOf } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { testEnvironment } from '../../support/gateway.js';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.js';

const WRITE = /^\s*(CREATE|ALTER|DROP|REVOKE|GRANT|COMMENT|COMMIT)\b/;
const PASSWORD = 'a password of a slice';

let database: TestDatabase;
let gatewayRole: string | null;
let gateway: Connection;
let sliceId: number;
let dataSource: DataSource;

/** As superuser, or as a role that may make databases and roles, and nothing else. */
const ROLES = [
  ['a superuser', null],
  ['a role with CREATEROLE and CREATEDB', 'LOGIN CREATEROLE CREATEDB'],
] as const;

async function sql<Row extends object>(statement: string, values: unknown[] = []): Promise<Row[]> {
  return withClient(database.connection, async (client) => (await client.query<Row>(statement, values)).rows);
}

async function open(): Promise<DataSource> {
  return new DataSource(dataSourceOptions(gateway, 3)).initialize();
}

function sliceDatabase(source = dataSource, env: NodeJS.ProcessEnv = {}): PostgresSliceDatabase {
  const config = loadConfig({ ...testEnvironment(tmpdir(), database.url), ...env });
  return new PostgresSliceDatabase(source, new InstallationId('0a1b2c3d'), config, { connection: gateway });
}

function asSlice(password = PASSWORD): Connection {
  const name = `slice_${sliceId}`;
  return { ...database.connection, database: name, user: name, password };
}

async function nothingIsThere(): Promise<boolean> {
  const [found] = await sql<{ any: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) OR EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS any`,
    [`slice_${sliceId}`],
  );
  return found?.any === false;
}

async function pidOf(runner: QueryRunner): Promise<number> {
  const [row] = await runner.query('SELECT pg_backend_pid() AS pid');
  return row.pid;
}

/** Calls back after each statement that changes something, with the server process that ran it. */
function watch(source: DataSource, afterWrite: (statement: string, pid: number) => Promise<void>): void {
  const createQueryRunner = source.createQueryRunner.bind(source);
  source.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode);
    const query: QueryRunner['query'] = runner.query.bind(runner);
    const watched = async (...args: Parameters<typeof query>): Promise<unknown> => {
      const result = await query(...args);
      if (WRITE.test(args[0])) await afterWrite(args[0], await pidOf(runner));
      return result;
    };
    return Object.assign(runner, { query: watched });
  };
}

/** Ends the server's session after the n-th change, so that all the rest of the work fails. */
async function cutAfter(
  nth: number,
  work: (databases: PostgresSliceDatabase) => Promise<unknown>,
): Promise<boolean> {
  const source = await open();
  let left = nth;
  watch(source, async (_, pid) => {
    left -= 1;
    if (left === 0) await sql('SELECT pg_terminate_backend($1, 5000)', [pid]);
  });
  const done = await work(sliceDatabase(source)).then(
    () => true,
    () => false,
  );
  await source.destroy().catch(() => undefined);
  return done && left > 0;
}

describe.each(ROLES)('slice databases, with a gateway that is %s', (_, attributes) => {
  beforeEach(async () => {
    database = await createTestDatabase();
    gatewayRole = attributes === null ? null : `gateway_${randomBytes(4).toString('hex')}`;
    if (gatewayRole !== null) await sql(`CREATE ROLE ${gatewayRole} ${attributes} PASSWORD 'secret'`);
    gateway =
      gatewayRole === null
        ? database.connection
        : { ...database.connection, user: gatewayRole, password: 'secret' };
    const [row] = await sql<{ id: number }>(
      `SELECT nextval(pg_get_serial_sequence('slice', 'id'))::int AS id`,
    );
    sliceId = row?.id ?? 0;
    dataSource = await open();
  });

  afterEach(async () => {
    await dataSource.destroy();
    await sql(`DROP DATABASE IF EXISTS slice_${sliceId} WITH (FORCE)`);
    await sql(`DROP ROLE IF EXISTS slice_${sliceId}`);
    if (gatewayRole !== null) await sql(`DROP ROLE IF EXISTS ${gatewayRole}`);
    await database.drop();
  });

  it('makes database and role, and removes them, both as often as one likes', async () => {
    const databases = sliceDatabase();
    const name = `slice_${sliceId}`;
    for (let time = 0; time < 2; time += 1) {
      expect(await databases.ensure(sliceId, PASSWORD)).toEqual({
        database: name,
        role: name,
        password: PASSWORD,
      });
      expect(await connectionRefusal(asSlice())).toBeNull();
    }
    expect(await databases.list()).toEqual([
      { kind: 'database', sliceId, name },
      { kind: 'role', sliceId, name },
    ]);
    for (let time = 0; time < 2; time += 1) await databases.drop(sliceId);
    expect(await nothingIsThere()).toBe(true);
    expect(await databases.list()).toEqual([]);
  });

  it('keeps connections free for every gateway that runs', async () => {
    const databases = sliceDatabase(dataSource, { SLICE_DB_CONNECTIONS: '1', DB_POOL_MAX: '8' });
    const beforeAny = await databases.capacity();
    const first = await controlOf({ connection: gateway });
    expect(await databases.capacity()).toBe(beforeAny);
    const second = await controlOf({ connection: gateway });
    expect(await databases.capacity()).toBe(beforeAny - 9);
    await Promise.all([first.stop(), second.stop()]);
    await eventually(async () => expect(await databases.capacity()).toBe(beforeAny));
  });

  it('removes a database that is in use', async () => {
    await sliceDatabase().ensure(sliceId, PASSWORD);
    await withClient(asSlice(), async (client) => {
      await client.query('SELECT 1');
      await sliceDatabase().drop(sliceId);
    }).catch(() => undefined);
    expect(await nothingIsThere()).toBe(true);
  });

  it.each(['IS_TEMPLATE true', 'CONNECTION LIMIT 0'])(
    'bears that a slice sets %s on the database it owns',
    async (setting) => {
      const bySlice = (): Promise<unknown> =>
        withClient(asSlice(), (client) => client.query(`ALTER DATABASE slice_${sliceId} ${setting}`));
      await sliceDatabase().ensure(sliceId, PASSWORD);
      await bySlice();
      await sliceDatabase().ensure(sliceId, PASSWORD);
      expect(await connectionRefusal(asSlice())).toBeNull();
      await bySlice();
      await sliceDatabase().drop(sliceId);
      expect(await nothingIsThere()).toBe(true);
    },
  );

  it('lets only the latest password in', async () => {
    await sliceDatabase().ensure(sliceId, 'the former');
    await sliceDatabase().ensure(sliceId, PASSWORD);
    expect(await connectionRefusal(asSlice('the former'))).toBe('28P01');
    expect(await connectionRefusal(asSlice())).toBeNull();
  });

  it('lets nobody else in at any moment', async () => {
    await sql(`CREATE ROLE neighbour_${sliceId} LOGIN PASSWORD 'x'`);
    const neighbour = { ...asSlice('x'), user: `neighbour_${sliceId}` };
    const source = await open();
    const attempts: [string, string | null][] = [];
    watch(source, async (statement) => {
      const isThere = await sql('SELECT FROM pg_database WHERE datname = $1', [`slice_${sliceId}`]);
      if (isThere.length > 0) attempts.push([statement, await connectionRefusal(neighbour)]);
    });
    await sliceDatabase(source).ensure(sliceId, PASSWORD);
    await source.destroy();
    await sql(`DROP ROLE neighbour_${sliceId}`);
    expect(attempts.length).toBeGreaterThan(1);
    for (const attempt of attempts) expect(attempt).toEqual([attempt[0], expect.any(String)]);
  });

  it('heals what an interrupted creation left, wherever that was', async () => {
    for (let nth = 1; ; nth += 1) {
      const whole = await cutAfter(nth, (databases) => databases.ensure(sliceId, PASSWORD));
      await sliceDatabase().ensure(sliceId, PASSWORD);
      expect(await connectionRefusal(asSlice())).toBeNull();
      await sliceDatabase().drop(sliceId);
      expect(await nothingIsThere()).toBe(true);
      if (!whole) continue;
      expect(nth).toBeGreaterThan(5);
      return;
    }
  });

  it('heals what an interrupted removal left, wherever that was', async () => {
    for (let nth = 1; ; nth += 1) {
      await sliceDatabase().ensure(sliceId, PASSWORD);
      const whole = await cutAfter(nth, (databases) => databases.drop(sliceId));
      await sliceDatabase().drop(sliceId);
      expect(await nothingIsThere()).toBe(true);
      if (whole) return;
    }
  });

  it('makes anew a database whose removal was interrupted', async () => {
    await sliceDatabase().ensure(sliceId, PASSWORD);
    // What PostgreSQL itself leaves then (since 16); such a database can only be dropped.
    await sql(`UPDATE pg_database SET datconnlimit = -2 WHERE datname = $1`, [`slice_${sliceId}`]);
    expect(await connectionRefusal(asSlice())).not.toBeNull();
    await sliceDatabase().ensure(sliceId, PASSWORD);
    expect(await connectionRefusal(asSlice())).toBeNull();
  });

  it('leaves a role alone that it did not make', async () => {
    await sql(`CREATE ROLE slice_${sliceId} PASSWORD 'theirs'`);
    const { ensure, drop } = {
      ensure: sliceDatabase().ensure(sliceId, PASSWORD),
      drop: sliceDatabase().drop(sliceId),
    };
    await expect(ensure).rejects.toThrow(ForeignResourceError);
    await expect(drop).rejects.toThrow(`role named slice_${sliceId} that this installation did not make`);
    const [role] = await sql('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [`slice_${sliceId}`]);
    expect(role).toEqual({ rolcanlogin: false });
    expect(await sliceDatabase().list()).toEqual([]);
  });

  it('leaves a database alone that it did not make', async () => {
    await sql(`CREATE DATABASE slice_${sliceId}`);
    await expect(sliceDatabase().ensure(sliceId, PASSWORD)).rejects.toThrow(ForeignResourceError);
    await expect(sliceDatabase().drop(sliceId)).rejects.toThrow(ForeignResourceError);
    expect(await sql('SELECT FROM pg_database WHERE datname = $1', [`slice_${sliceId}`])).toHaveLength(1);
    expect(await sliceDatabase().list()).toEqual([]);
  });
});
