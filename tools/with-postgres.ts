import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsoleLogger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Connection, dataSourceOptions, EmbeddedPostgres } from '#database';

/*
 * Runs a command with DATABASE_URL of a PostgreSQL server that has Sluice's schema, and
 * lives as long as the command:
 *   node tools/with-postgres.ts <command> [arguments]
 * It ends with the command's own exit status.
 */
const [, , command, ...parameters] = process.argv;
if (command === undefined) throw new Error('usage: node tools/with-postgres.ts <command> [arguments]');

const folder = await mkdtemp(join(tmpdir(), 'sluice-tool-'));
const server = await EmbeddedPostgres.start({
  dataDir: join(folder, 'postgres'),
  logger: new ConsoleLogger({ logLevels: ['error', 'warn'] }),
});
try {
  await migrate(server.connection);
  process.exitCode = await run(command, parameters, server.connection);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function migrate(connection: Connection): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(connection, 1)).initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}

/** The exit status; 1 where a signal ended it. */
async function run(
  program: string,
  args: readonly string[],
  { user, password, host, port, database }: Connection,
): Promise<number> {
  const url = `postgres://${user}:${password ?? ''}@${host}:${port}/${database}`;
  // A Ctrl-C reaches the command as well: it ends, and then the server is stopped below.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  // Its own DATA_DIR: secrets that are made along the way are not the ones of the checkout's gateway.
  const env = { ...process.env, DATABASE_URL: url, DATA_DIR: join(folder, 'data') };
  const child = spawn(program, args, { stdio: 'inherit', env });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}
