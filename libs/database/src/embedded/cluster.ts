import { randomBytes } from 'node:crypto';
import {
  link,
  lstat,
  mkdir,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '#common';
import { type Binaries, majorVersion } from './binaries.js';
import type { Launcher } from './launcher.js';
import { isAlive } from './postmaster.js';

/** The superuser of the embedded server, and the name of the gateway's database. */
export const SUPERUSER = 'sluice';

/** The files of one embedded server. */
export interface Cluster {
  /** PostgreSQL's data directory, as PostgreSQL itself names it: absolute and free of links. */
  path: string;
  password: string;
}

/**
 * Opens the cluster in `dataDir`, and makes it the first time. It is made beside its place and then moved there, so
 * that a kill in the middle of it leaves nothing that looks like a cluster.
 * @throws Error when it is of another major version, or is damaged
 */
export async function openCluster(dataDir: string, binaries: Binaries, launcher: Launcher): Promise<Cluster> {
  const home = await launcher.homeFor(dataDir);
  const place = join(dataDir, 'data');
  const password = await readPassword(dataDir);
  if (!(await holdsCluster(place))) {
    const actual = join(home, 'data');
    if (actual === place || !(await holdsCluster(actual)))
      await createCluster(home, password, binaries, launcher);
    if (actual !== place) await symlink(actual, place);
  }
  const path = await realpath(place);
  await launcher.handOver(path);
  await requireVersion(path, majorVersion(binaries));
  return { path, password };
}

async function holdsCluster(place: string): Promise<boolean> {
  const found = await lstat(place).catch(() => null);
  if (found === null) return false;
  const entries = await readdir(place).catch((error: unknown) => {
    // The link is made after the cluster: starting anew here would hide that the data is lost.
    throw new Error(`${place} can't be read: restore what it links to, or remove it to start anew.`, {
      cause: error,
    });
  });
  if (entries.length === 0) return false;
  if (entries.includes('PG_VERSION') && entries.includes('global')) return true;
  throw new Error(
    `${place} is no complete PostgreSQL data directory. Restore it, or move it away to start anew.`,
  );
}

async function createCluster(
  home: string,
  password: string,
  binaries: Binaries,
  launcher: Launcher,
): Promise<void> {
  await removeUnfinished(home);
  const work = join(home, `data.new-${process.pid}`);
  const passwordFile = `${work}.password`;
  await mkdir(work, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    await launcher.handOver(work);
    await launcher.handOver(passwordFile);
    await launcher.run(join(binaries.root, 'bin', 'initdb'), [
      '-D',
      work,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own locale: text sorts alike, and indexes stay valid, on each system and after each upgrade of it.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--data-checksums',
      '--no-instructions',
    ]);
    await rename(work, join(home, 'data'));
  } finally {
    await rm(passwordFile, { force: true });
    await rm(work, { recursive: true, force: true });
  }
}

/** What an initdb left that was killed. One that still runs, of a second gateway's start, is left alone. */
async function removeUnfinished(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = /^data\.new-(\d+)/.exec(name)?.[1];
    if (pid === undefined || (Number(pid) !== process.pid && (await isAlive(Number(pid))))) continue;
    await rm(join(home, name), { recursive: true, force: true, maxRetries: 10 }); // its initdb may still write
  }
}

/** The superuser's password; made the first time, and never half-written or made twice. */
async function readPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'password');
  // A name of its own each time: two starts of one process, too, would take the other's away.
  const draft = `${file}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

async function requireVersion(path: string, major: string): Promise<void> {
  const version = (await readFile(join(path, 'PG_VERSION'), 'utf8')).trim();
  if (version === major) return;
  throw new Error(
    `${path} was made by PostgreSQL ${version}, and the installed binaries are of ${major}: carry the data over with ` +
      'pg_dumpall of the old version, or go back to the version of Sluice that made it.',
  );
}
