import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { type Connection, EmbeddedPostgres } from '#database';
import { quietLogger } from './quiet-logger.js';
import { LEFTOVER_PREFIX, SHARED_SERVER, TEMPLATE, UNSAFE_BUT_FAST } from './shared-server.js';

/** A migrated database that no other test sees. */
export interface TestDatabase extends AsyncDisposable {
  readonly connection: Connection;
  readonly url: string;
  /** Drops it; sessions that are still open are ended. */
  drop(): Promise<void>;
}

/**
 * Copies the migrated template on the server that the run shares. Roles and databases of slices are the server's, not
 * the database's, so each test database numbers its slices from an offset of its own, and is an installation of its own.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = sharedConnection();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const connection = { ...server, database: name };
  const oid = await withClient(server, async (client) => {
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${TEMPLATE}`);
    const { rows } = await client.query<{ oid: number }>('SELECT oid FROM pg_database WHERE datname = $1', [
      name,
    ]);
    return rows[0]?.oid ?? 0;
  });
  await withClient(connection, async (client) => {
    await client.query(`ALTER TABLE slice ALTER COLUMN id RESTART WITH ${oid * 1000}`);
    await client.query('UPDATE installation SET id = $1', [randomBytes(4).toString('hex')]);
  });
  const drop = async (): Promise<void> => {
    await withClient(server, (client) =>
      client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`),
    );
  };
  return { connection, url: urlOf(connection), drop, [Symbol.asyncDispose]: drop };
}

/** A database that is not for its user to drop: it is another's, or goes with its server. */
export function borrowed(connection: Connection): TestDatabase {
  return { connection, url: urlOf(connection), drop: keep, [Symbol.asyncDispose]: keep };
}

function keep(): Promise<void> {
  return Promise.resolve();
}

/** A server of a test's own, which it may kill. It has no template: migrate its database. */
export class TestPostgres implements AsyncDisposable {
  private constructor(
    private readonly dataDir: string,
    private readonly listenAddresses: readonly string[],
    private server: EmbeddedPostgres,
  ) {}

  static async start(listenAddresses: readonly string[]): Promise<TestPostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), `${LEFTOVER_PREFIX}${process.pid}-`));
    return new TestPostgres(dataDir, listenAddresses, await startIn(dataDir, listenAddresses));
  }

  /** The same after a restart. */
  get connection(): Connection {
    return this.server.connection;
  }

  get url(): string {
    return urlOf(this.connection);
  }

  /** Ends the server as a crash does: nobody is told. It stays down until {@link restart}. */
  kill(): void {
    process.kill(this.server.pid, 'SIGKILL');
  }

  /** Ends the server in good order, and leaves it down until {@link restart}. */
  async shutDown(): Promise<void> {
    await this.server.stop();
  }

  /** Starts it again, after stopping it if it runs; on the same port. */
  async restart(): Promise<void> {
    await this.server.stop();
    this.server = await startIn(this.dataDir, this.listenAddresses);
  }

  /** Stops it, and removes its files. */
  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * A server of the test's own, in a folder of its own.
 * @param listenAddresses beside 127.0.0.1
 */
export function startPostgres(listenAddresses: readonly string[] = []): Promise<TestPostgres> {
  return TestPostgres.start(listenAddresses);
}

/** Connects for the length of a function. */
export async function withClient<T>(connection: Connection, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(connection);
  client.on('error', () => undefined); // a server that the test ends; the query that waits is rejected, too
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function startIn(dataDir: string, listenAddresses: readonly string[]): Promise<EmbeddedPostgres> {
  const server = await EmbeddedPostgres.start({
    dataDir,
    listenAddresses,
    logger: quietLogger,
    settings: UNSAFE_BUT_FAST,
  });
  await server.detach(); // what the test kills is to stay dead
  return server;
}

function sharedConnection(): Connection {
  const json = process.env[SHARED_SERVER];
  if (json === undefined) throw new Error('No shared PostgreSQL: test/support/global-setup.ts has not run.');
  return JSON.parse(json);
}

function urlOf({ host, port, user, password, database }: Connection): string {
  return `postgres://${user}:${password ?? ''}@${host}:${port}/${database}`;
}
