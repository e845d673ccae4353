import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Connection, dataSourceOptions } from '#database';
import { PublicAccess } from '../../../libs/orchestrator/src/databases/public-access.js';
import { connectionRefusal } from '../../support/connection-refusal.js';
import { Gateway } from '../../support/gateway.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { borrowed, startPostgres, type TestPostgres, withClient } from '../../support/postgres.js';
import { TINY_SLICES } from '../../support/tiny-slices.js';

const DENIED = '42501';
const OWN = 'sluice_of_an_operator';
let server: TestPostgres;
let warnings: string[];

/** The gateway as an operator of a shared server would let it in: owner of its database, superuser of nothing. */
function restricted(): Connection {
  return { ...server.connection, user: 'gateway', password: 'secret', database: OWN };
}

function stranger(database: string): Connection {
  return { ...server.connection, user: 'stranger', password: 'secret', database };
}

async function asSuperuser(...statements: string[]): Promise<void> {
  await withClient(server.connection, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function revokeAs(connection: Connection): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(connection, 2)).initialize();
  await new PublicAccess(dataSource).revoke();
  await dataSource.destroy();
}

beforeAll(async () => {
  server = await startPostgres();
  await asSuperuser(
    `CREATE ROLE gateway LOGIN CREATEDB CREATEROLE PASSWORD 'secret'`,
    `CREATE ROLE stranger LOGIN PASSWORD 'secret'`,
    `CREATE DATABASE ${OWN} OWNER gateway`,
  );
}, 30_000);

afterAll(async () => {
  Logger.overrideLogger(quietLogger);
  await server.stop();
});

beforeEach(() => {
  warnings = [];
  Logger.overrideLogger({ ...quietLogger, warn: (message: string) => warnings.push(message) });
});

describe('the databases that are no slice’s', () => {
  it('let every role in as PostgreSQL makes them, which is why this is here', async () => {
    for (const name of [OWN, 'postgres', 'template1'])
      expect(await connectionRefusal(stranger(name))).toBeNull();
  });

  it('are closed as far as the gateway’s role may; for the rest the operator is told what to run', async () => {
    await revokeAs(restricted());
    expect(await connectionRefusal(stranger(OWN))).toBe(DENIED);
    expect(await connectionRefusal(restricted())).toBeNull();
    expect(await connectionRefusal(stranger('postgres'))).toBeNull();
    expect(warnings).toEqual([
      expect.stringContaining('REVOKE CONNECT ON DATABASE "postgres" FROM PUBLIC'),
      expect.stringContaining('REVOKE CONNECT ON DATABASE "template1" FROM PUBLIC'),
    ]);
  });

  it('do not keep a gateway of few rights from making slices', async () => {
    await using gateway = await Gateway.start({ database: borrowed(restricted()), env: TINY_SLICES });
    const { status, body } = await gateway.operator().provision();
    expect(status).toBe(201);
    expect((await gateway.operator().destroy(body.id)).status).toBe(200);
  });

  it('are closed all by a superuser, two of them at once, and stay so when asked again', async () => {
    await Promise.all([revokeAs(server.connection), revokeAs(server.connection)]);
    await revokeAs(server.connection);
    for (const name of ['postgres', 'template1', server.connection.database])
      expect(await connectionRefusal(stranger(name))).toBe(DENIED);
    expect(warnings).toEqual([]);
  });
});
