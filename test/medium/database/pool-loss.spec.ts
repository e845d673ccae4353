import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions, isDatabaseUnavailable } from '#database';
import { closeServer } from '../../support/free-port.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

/** Message formats of PostgreSQL's protocol 3.0. */
const READY_FOR_QUERY = Buffer.from('Z\0\0\0\x05I', 'latin1');
const FIELDS = 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';

let database: TestDatabase;
let relay: Server;
let farewell = false;

beforeAll(async () => {
  database = await createTestDatabase();
  relay = createServer((client) => void pass(client));
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
});

afterAll(async () => {
  await closeServer(relay);
  await database.drop();
});

/** Passes on a connection; with a farewell in the same packet in which the server says that it is ready. */
async function pass(client: Socket): Promise<void> {
  const server = connect(database.connection.port, database.connection.host);
  client.pipe(server).on('error', () => client.destroy());
  client.on('error', () => server.destroy()).on('close', () => server.destroy());
  server.on('close', () => client.destroy());
  server.on('data', (chunk: Buffer) => {
    if (farewell && chunk.subarray(-READY_FOR_QUERY.length).equals(READY_FOR_QUERY))
      client.end(Buffer.concat([chunk, errorResponse(FIELDS)]));
    else client.write(chunk);
  });
}

function errorResponse(fields: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + 4);
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(fields, 'latin1')]);
}

it('survives a server that ends a session in the moment in which it begins', async () => {
  const { port } = relay.address() as AddressInfo;
  const options = dataSourceOptions({ ...database.connection, host: '127.0.0.1', port }, 4);
  const dataSource = await new DataSource(options).initialize();
  const sleeping = dataSource.query('SELECT pg_sleep(0.3)');
  farewell = true;
  // The one connection is busy, so these open new ones.
  const lost = await Promise.allSettled([dataSource.query('SELECT 1'), dataSource.query('SELECT 2')]);
  farewell = false;
  for (const each of lost)
    expect(each.status === 'rejected' && isDatabaseUnavailable(each.reason)).toBe(true);
  await sleeping;
  await expect(dataSource.query('SELECT 3 AS three')).resolves.toEqual([{ three: 3 }]);
  await dataSource.destroy();
});
