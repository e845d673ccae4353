import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Connection } from '#database';
import type { OperatorClient } from '../support/clients.js';
import { getJson } from '../support/get-json.js';
import { Gateway } from '../support/gateway.js';
import { borrowed, startPostgres, type TestPostgres, withClient } from '../support/postgres.js';
import { TINY_SLICES } from '../support/tiny-slices.js';

/**
 * The threat: a customer's app that gives a neighbour something in its own database, unasked. PostgreSQL drops no role
 * that something depends on, so the neighbour could never be destroyed as a whole.
 */

let server: TestPostgres;
let gateway: Gateway;
let operator: OperatorClient;

/** A slice with what it is told of its database. */
interface Tenant {
  readonly id: number;
  readonly name: string;
  readonly url: string;
}

async function provision(): Promise<Tenant> {
  const { body } = await operator.provision();
  const env = Object(await getJson(`http://${body.host}:${body.port}/env`));
  return { id: body.id, name: env.DB_NAME, url: env.DATABASE_URL };
}

/** Runs statements as a slice, in its own database or another's. */
async function as(tenant: Tenant, statements: readonly string[], database = tenant.name): Promise<void> {
  const url = new URL(tenant.url);
  url.pathname = `/${database}`;
  const client = new Client(url.href);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function rolesLeft(connection: Connection): Promise<string[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'slice%' ORDER BY oid`,
    );
    return rows.map(({ name }) => name);
  });
}

describe.each([
  ['a superuser', 'SUPERUSER'],
  ['a role with CREATEROLE and CREATEDB', 'CREATEROLE CREATEDB'],
])('a slice beside another one, with a gateway that is %s', (_, attributes) => {
  let giver: Tenant;
  let receiver: Tenant;

  beforeAll(async () => {
    server = await startPostgres();
    await withClient(server.connection, async (client) => {
      await client.query(`CREATE ROLE gateway LOGIN ${attributes} PASSWORD 'secret'`);
      await client.query('CREATE DATABASE gateway OWNER gateway');
    });
    const connection = { ...server.connection, user: 'gateway', password: 'secret', database: 'gateway' };
    gateway = await Gateway.start({ database: borrowed(connection), env: TINY_SLICES });
    operator = gateway.operator();
  }, 60_000);

  beforeEach(async () => {
    [giver, receiver] = await Promise.all([provision(), provision()]);
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await server.stop();
  });

  async function destroyed(): Promise<void> {
    const { status, body } = await operator.destroy(receiver.id);
    expect([status, body]).toEqual([200, { id: receiver.id, status: 'destroyed' }]);
    expect(await rolesLeft(server.connection)).not.toContain(receiver.name);
  }

  it('can not keep it from being destroyed by granting it something', async () => {
    await as(giver, [
      'CREATE TABLE note (id int)',
      'CREATE FUNCTION one() RETURNS int RETURN 1',
      `GRANT SELECT (id), UPDATE ON note TO ${receiver.name}`,
      `GRANT EXECUTE ON FUNCTION one() TO ${receiver.name}`,
      `GRANT ALL ON SCHEMA public TO ${receiver.name}`,
      `GRANT ALL ON DATABASE ${giver.name} TO ${receiver.name}`,
      `ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${receiver.name}`,
      `CREATE POLICY theirs ON note TO ${receiver.name} USING (true)`,
      `SELECT lo_create(4711)`,
      `GRANT SELECT ON LARGE OBJECT 4711 TO ${receiver.name}`,
    ]);
    await destroyed();
    await as(giver, ['INSERT INTO note VALUES (1)', 'SELECT one()']);
  });

  it('keeps what the other one made in its database', async () => {
    await as(giver, [`GRANT CONNECT, CREATE ON DATABASE ${giver.name} TO ${receiver.name}`]);
    await as(receiver, ['CREATE SCHEMA guest', 'CREATE TABLE guest.book AS SELECT 1 AS page'], giver.name);
    await destroyed();
    await as(giver, ['UPDATE guest.book SET page = 2']);
  });

  it('can not do it by way of a third one, either', async () => {
    const third = await provision();
    await as(giver, [
      'CREATE TABLE note (id int)',
      `GRANT ALL ON DATABASE ${giver.name} TO ${third.name} WITH GRANT OPTION`,
      `GRANT ALL ON SCHEMA public TO ${third.name} WITH GRANT OPTION`,
      `GRANT ALL ON note TO ${third.name} WITH GRANT OPTION`,
    ]);
    await as(
      third,
      [
        `GRANT SELECT ON note TO ${receiver.name}`,
        `GRANT CREATE ON DATABASE ${giver.name} TO ${receiver.name}`,
      ],
      giver.name,
    );
    await destroyed();
    await as(third, ['CREATE TABLE its_own ()']);
  });

  it('can not do it behind doors it has locked, or by the settings of its database', async () => {
    const trap = `BEGIN RAISE 'run as %', current_user; END`;
    await as(giver, [
      'CREATE TABLE note (id int)',
      `GRANT SELECT ON note TO ${receiver.name}`,
      `CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS $$${trap}$$`,
      `ALTER DATABASE ${giver.name} SET search_path = public, pg_catalog`,
      `ALTER DATABASE ${giver.name} SET default_transaction_read_only = on`,
      `ALTER DATABASE ${giver.name} SET role = '${giver.name}'`,
      `ALTER DATABASE ${giver.name} SET statement_timeout = 1`,
      `ALTER DATABASE ${giver.name} SET transaction_timeout = 1`,
      `ALTER DATABASE ${giver.name} SET idle_session_timeout = 1`,
      `ALTER DATABASE ${giver.name} CONNECTION LIMIT 0`,
      `REVOKE ALL ON DATABASE ${giver.name} FROM ${giver.name}`,
    ]);
    await destroyed();
  });

  it('can not do it by never letting go of a lock', async () => {
    await as(giver, [`GRANT CONNECT, CREATE ON DATABASE ${giver.name} TO ${receiver.name}`]);
    const hold = ['CREATE SCHEMA guest', 'CREATE TABLE guest.held ()'];
    const share = [`GRANT ALL ON SCHEMA guest TO ${giver.name}`, `GRANT ALL ON guest.held TO ${giver.name}`];
    await as(receiver, [...hold, ...share], giver.name);
    const holder = new Client(giver.url);
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE guest.held');
    await destroyed();
    await holder.end();
  });
});

describe('an operator who granted a slice something elsewhere', () => {
  it('is told where, and loses nothing', async () => {
    server = await startPostgres();
    gateway = await Gateway.start({ database: borrowed(server.connection), env: TINY_SLICES });
    operator = gateway.operator();
    const tenant = await provision();
    const elsewhere = { ...server.connection, database: 'analytics' };
    await withClient(server.connection, (client) => client.query('CREATE DATABASE analytics'));
    await withClient(elsewhere, async (client) => {
      await client.query('CREATE TABLE shared (id int)');
      await client.query(`GRANT SELECT ON shared TO ${tenant.name}`);
    });
    const refused = await operator.destroy(tenant.id);
    expect(refused.body).toMatchObject({ code: 'SLICE_DESTROY_FAILED' });
    expect(refused.body.message).toContain(`${tenant.name} in analytics`);
    await withClient(elsewhere, (client) => client.query(`DROP OWNED BY ${tenant.name}`));
    expect((await operator.destroy(tenant.id)).status).toBe(200);
    await gateway[Symbol.asyncDispose]();
    await server.stop();
  }, 60_000);
});
