import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
// Not by #database, which would load all of Nest before every run.
import { dataSourceOptions } from '../../libs/database/src/data-source-options.js';
import { EmbeddedPostgres } from '../../libs/database/src/embedded/embedded-postgres.js';
import { isAlive, runningPostmaster } from '../../libs/database/src/embedded/postmaster.js';
import { quietLogger } from './quiet-logger.js';

/** Where globalSetup leaves the connection for the workers, as JSON. */
export const SHARED_SERVER = 'SLUICE_TEST_POSTGRES';
/** The database that every test database is a copy of. */
export const TEMPLATE = 'sluice_template';

/** Folders of test servers: this, then the pid of the process that made them. */
export const LEFTOVER_PREFIX = 'sluice-test-';
let shared: { server: EmbeddedPostgres; dataDir: string } | undefined;

/** A server without fsync in a folder of its own, and on it the migrated template. Runs in Jest's main process. */
export async function startSharedServer(): Promise<void> {
  await removeLeftovers();
  const dataDir = await mkdtemp(join(tmpdir(), `${LEFTOVER_PREFIX}${process.pid}-`));
  const server = await EmbeddedPostgres.start({ dataDir, logger: quietLogger, settings: UNSAFE_BUT_FAST });
  shared = { server, dataDir };
  await migrate(server);
  process.env[SHARED_SERVER] = JSON.stringify(server.connection);
}

export async function stopSharedServer(): Promise<void> {
  await shared?.server.stop();
  if (shared !== undefined) await rm(shared.dataDir, { recursive: true, force: true });
}

/** For data that need not outlive a crash. */
export const UNSAFE_BUT_FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

async function migrate(server: EmbeddedPostgres): Promise<void> {
  const admin = await new DataSource({ ...dataSourceOptions(server.connection, 1) }).initialize();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.destroy();
  const template = await new DataSource(
    dataSourceOptions({ ...server.connection, database: TEMPLATE }, 1),
  ).initialize();
  await template.runMigrations();
  await template.destroy();
}

/** A run that was killed leaves its servers behind. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${LEFTOVER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || (await isAlive(Number(pid)))) continue;
    const dataDir = join(tmpdir(), name);
    const postmaster = await runningPostmaster(join(dataDir, 'data'));
    if (postmaster !== null) process.kill(postmaster.pid, 'SIGQUIT'); // PostgreSQL's immediate shutdown
    await rm(dataDir, { recursive: true, force: true });
  }
}
