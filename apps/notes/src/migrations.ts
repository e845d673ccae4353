import { readFile, readdir } from 'node:fs/promises';
import { Client, type ClientConfig } from 'pg';

const DIRECTORY = new URL('../migrations/', import.meta.url);
/** Any number does, as long as nothing else in this database locks by it. */
const LOCK = 7_238_041;

/**
 * Applies the files of `migrations/` that `schema_migrations` does not know, in the order of their names. It is one
 * transaction: the schema moves all the way or not at all. The lock makes a second instance wait, and then find
 * nothing to do. The connection is its own, since a migration may take longer than a request may.
 *
 * @returns the names of the files applied
 */
export async function migrate(config: ClientConfig): Promise<string[]> {
  const files = (await readdir(DIRECTORY)).filter((name) => name.endsWith('.sql')).toSorted();
  const client = new Client({ ...config, keepAlive: true });
  // A connection that breaks also fails the query on it, which is where it is dealt with.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin');
    const applied = await applyPending(client, files);
    await client.query('commit');
    return applied;
  } finally {
    // Without a commit before it, this is the rollback.
    await client.end();
  }
}

async function applyPending(client: Client, files: readonly string[]): Promise<string[]> {
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(
    `create table if not exists schema_migrations (
       name text primary key,
       applied_at timestamptz not null default now()
     )`,
  );
  const { rows } = await client.query<{ name: string }>('select name from schema_migrations');
  const known = new Set(rows.map((row) => row.name));
  const pending = files.filter((name) => !known.has(name));
  for (const name of pending) {
    await client.query(await readFile(new URL(name, DIRECTORY), 'utf8'));
    await client.query('insert into schema_migrations (name) values ($1)', [name]);
  }
  return pending;
}
