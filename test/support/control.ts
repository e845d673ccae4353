import { ControlConnection } from '#database';
import { type TestDatabase, withClient } from './postgres.js';
import { quietLogger } from './quiet-logger.js';

/** A control connection to a test's database, started. */
export async function controlOf({
  connection,
}: Pick<TestDatabase, 'connection'>): Promise<ControlConnection> {
  const control = new ControlConnection({ connection, logger: quietLogger });
  await control.start();
  return control;
}

/** The server's processes behind the control connections to a database. */
export async function controlPids({ connection }: Pick<TestDatabase, 'connection'>): Promise<number[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice-control' AND datname = current_database()",
    );
    return rows.map(({ pid }) => pid);
  });
}

/** Ends every control connection to a database from the server's side. */
export async function terminateControl(database: Pick<TestDatabase, 'connection'>): Promise<void> {
  const pids = await controlPids(database);
  await withClient(database.connection, (client) =>
    client.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids]),
  );
}
