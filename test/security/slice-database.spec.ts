import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { connectionRefusal } from '../support/connection-refusal.js';
import { getJson } from '../support/get-json.js';
import { Gateway } from '../support/gateway.js';
import { borrowed, startPostgres, type TestPostgres, withClient } from '../support/postgres.js';
import { TINY_SLICES } from '../support/tiny-slices.js';

const INSUFFICIENT_PRIVILEGE = '42501';
const INVALID_PASSWORD = '28P01';
const TOO_MANY_CONNECTIONS = '53300';

/** What a slice is told of its database. */
interface Access {
  DATABASE_URL: string;
  DB_NAME: string;
  DB_USER: string;
  DB_PASSWORD: string;
}

let server: TestPostgres;
let gateway: Gateway;
let own: Access;
let other: Access;

async function provision(): Promise<Access> {
  const { body } = await gateway.operator().provision();
  return (await getJson(`http://${body.host}:${body.port}/env`)) as Access;
}

/** The same role and password, for another database of the server. */
function urlFor({ DATABASE_URL }: Access, database: string): string {
  const url = new URL(DATABASE_URL);
  url.pathname = `/${database}`;
  return url.href;
}

beforeAll(async () => {
  server = await startPostgres();
  await withClient(server.connection, async (client) => {
    await client.query(`ALTER SYSTEM SET log_statement = 'all'`);
    await client.query(`ALTER SYSTEM SET log_min_error_statement = 'error'`);
    await client.query('SELECT pg_reload_conf()');
  });
  gateway = await Gateway.start({
    database: borrowed(server.connection),
    env: { ...TINY_SLICES, SLICE_DB_CONNECTIONS: '3' },
  });
  [own, other] = [await provision(), await provision()];
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server.stop();
});

describe('a slice with the credentials of its database', () => {
  it('owns that database, and makes in it what it likes', async () => {
    const client = new Client(own.DATABASE_URL);
    await client.connect();
    await client.query('CREATE SCHEMA app');
    await client.query('CREATE TABLE app.note (id int)');
    await client.end();
  });

  it('opens no other slice’s database', async () => {
    expect(await connectionRefusal(urlFor(own, other.DB_NAME))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await connectionRefusal(urlFor(other, own.DB_NAME))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('opens neither the gateway’s database nor the ones that come with PostgreSQL', async () => {
    for (const name of [server.connection.database, 'postgres', 'template1'])
      expect([name, await connectionRefusal(urlFor(own, name))]).toEqual([name, INSUFFICIENT_PRIVILEGE]);
    expect(await connectionRefusal(urlFor(own, 'template0'))).not.toBeNull();
  });

  it('is not let in by another slice’s name with its own password', async () => {
    const url = new URL(other.DATABASE_URL);
    url.password = own.DB_PASSWORD;
    expect(await connectionRefusal(url.href)).toBe(INVALID_PASSWORD);
    expect(own.DB_PASSWORD).not.toBe(other.DB_PASSWORD);
  });

  it('can make no role and no database, become nobody else, and run no program', async () => {
    const client = new Client(own.DATABASE_URL);
    await client.connect();
    for (const statement of [
      'CREATE ROLE friend',
      'CREATE DATABASE more',
      `SET ROLE ${other.DB_USER}`,
      `SET ROLE ${server.connection.user}`,
      `GRANT ${other.DB_USER} TO ${own.DB_USER}`,
      `ALTER ROLE ${own.DB_USER} CONNECTION LIMIT 1000`,
      `ALTER ROLE ${own.DB_USER} SUPERUSER`,
      `ALTER ROLE ${other.DB_USER} PASSWORD 'x'`,
      'SELECT rolpassword FROM pg_authid',
      `COPY (SELECT 1) TO PROGRAM 'cat'`,
      `SELECT pg_read_file('postgresql.conf')`,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${server.connection.user}' LIMIT 1`,
    ])
      await expect(client.query(statement)).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });
    await client.end();
  });

  it('has so many connections and no more, and locks nobody else out', async () => {
    const clients = Array.from({ length: 3 }, () => new Client(own.DATABASE_URL));
    await Promise.all(clients.map((client) => client.connect()));
    expect(await connectionRefusal(own.DATABASE_URL)).toBe(TOO_MANY_CONNECTIONS);
    expect(await connectionRefusal(other.DATABASE_URL)).toBeNull();
    await Promise.all(clients.map((client) => client.end()));
  });
});

describe('the password of a slice’s database', () => {
  it('stands in no log of the server, however much that logs', async () => {
    const log = await withClient(server.connection, async (client) => {
      const { rows } = await client.query<{ log: string }>(
        `SELECT pg_read_file(current_setting('data_directory') || '/../postgres.log') AS log`,
      );
      return rows[0]?.log ?? '';
    });
    expect(log).toContain(`CREATE ROLE "${own.DB_USER}"`);
    expect(log).not.toContain(own.DB_PASSWORD);
  });

  it('stands nowhere in the gateway’s database', async () => {
    await withClient(server.connection, async (client) => {
      const { rows } = await client.query('SELECT database_password_sealed FROM slice');
      expect(rows).toHaveLength(2);
      for (const row of rows)
        expect(row.database_password_sealed.toString('latin1')).not.toContain(own.DB_PASSWORD);
    });
  });

  it('is the same after a restart of the slice', async () => {
    const id = own.DB_NAME.replace('slice_', '');
    const { body } = await gateway.operator().post(`/orchestrator/slices/${id}/restart`);
    expect(await getJson(`http://${body.host}:${body.port}/env`)).toMatchObject({
      DB_PASSWORD: own.DB_PASSWORD,
    });
    expect(await connectionRefusal(own.DATABASE_URL)).toBeNull();
  });
});
