import { setTimeout as delay } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { lockKey } from '../control/lock-key.js';
import type { Connection } from '../data-source-options.js';
import { DATA_DIR_CLAIM, DataDirInUse } from './data-dir-claim.js';

/** A gateway that was killed loses its locks when PostgreSQL sees the end of its connection: at once, or nearly. */
const CLAIM_PATIENCE_MS = 1000;

/**
 * Makes sure that the server is the one of this data directory, and makes the gateway's database unless it is there.
 * @throws Error when it is another server, or does not let us in
 */
export async function ensureDatabase(connection: Connection, cluster: string): Promise<void> {
  await withClient({ ...connection, database: 'postgres' }, async (client) => {
    const { rows } = await client.query<{ directory: string; present: boolean }>(
      `SELECT current_setting('data_directory') AS directory,
              EXISTS (SELECT FROM pg_database WHERE datname = $1) AS present`,
      [connection.database],
    );
    const found = rows[0];
    if (found?.directory !== cluster) {
      throw new Error(`The server on port ${connection.port} serves ${found?.directory}, not ${cluster}.`);
    }
    if (!found.present) await client.query(`CREATE DATABASE ${escapeIdentifier(connection.database)}`);
  });
}

/**
 * Makes sure that no other gateway uses a server that was found running. The lock goes with this connection; the
 * gateway takes it for good on its control connection.
 * @throws DataDirInUse
 */
export async function requireUnclaimed(connection: Connection): Promise<void> {
  await withClient(connection, async (client) => {
    const deadline = performance.now() + CLAIM_PATIENCE_MS;
    for (;;) {
      const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1) AS free', [
        lockKey(DATA_DIR_CLAIM),
      ]);
      if (rows[0]?.free === true) return;
      if (performance.now() > deadline) throw new DataDirInUse();
      await delay(50);
    }
  });
}

async function withClient(connection: Connection, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({
    ...connection,
    connectionTimeoutMillis: 10_000,
    application_name: 'sluice-start',
  });
  client.on('error', () => undefined); // the query that waits is rejected, too
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
