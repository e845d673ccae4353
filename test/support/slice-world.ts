import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { docker } from './docker.js';
import { type TestDatabase, withClient } from './postgres.js';

/** Everything there is of the slices of a test database, each by the ids of the slices that have it, in order. */
export interface SliceWorld {
  readonly rows: readonly number[];
  readonly ports: readonly number[];
  readonly databases: readonly number[];
  readonly roles: readonly number[];
  /** Processes or running containers. */
  readonly instances: readonly number[];
  /** Data directories or volumes. */
  readonly data: readonly number[];
}

/** A world in which there is everything of these slices, and nothing of any other. */
export function worldOf(ids: readonly number[]): SliceWorld {
  const all = ids.toSorted((a, b) => a - b);
  return { rows: all, ports: all, databases: all, roles: all, instances: all, data: all };
}

/**
 * Looks at the world itself, not through the gateway. A test database numbers its slices from its own OID times 1000:
 * by that the roles and databases of other tests on the same server are told apart.
 */
export async function lookAtSlices(
  { connection }: Pick<TestDatabase, 'connection'>,
  host: Pick<SliceWorld, 'instances' | 'data'>,
): Promise<SliceWorld> {
  return withClient(connection, async (client) => {
    const ids = async (sql: string): Promise<number[]> =>
      (await client.query<{ id: number }>(`${sql} ORDER BY id`)).rows.map(({ id }) => id);
    const own = `/ 1000 = (SELECT oid FROM pg_database WHERE datname = current_database())::int`;
    return {
      rows: await ids('SELECT id FROM slice WHERE destroyed_at IS NULL'),
      ports: await ids('SELECT slice_id AS id FROM slice_port WHERE slice_id IS NOT NULL'),
      databases: await ids(
        `SELECT id FROM (SELECT substring(datname FROM '^slice_([0-9]+)$')::int AS id FROM pg_database) d WHERE id ${own}`,
      ),
      roles: await ids(
        `SELECT id FROM (SELECT substring(rolname FROM '^slice_([0-9]+)$')::int AS id FROM pg_roles) r WHERE id ${own}`,
      ),
      ...host,
    };
  });
}

/** The slices that run as processes, found by the DATA_DIR in their environment, and those that have a folder. */
export async function processSlices(dataDir: string): Promise<Pick<SliceWorld, 'instances' | 'data'>> {
  const root = resolve(dataDir, 'slices');
  const installations = await readdir(root).catch((): string[] => []);
  const folders = await Promise.all(installations.map((name) => readdir(join(root, name))));
  return {
    instances: (await processesBelow(root)).map(({ sliceId }) => sliceId).toSorted((a, b) => a - b),
    data: folders
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b),
  };
}

/** Every process whose environment names a DATA_DIR below the folder: slices, and what they started. */
export async function processesBelow(root: string): Promise<{ pid: number; sliceId: number }[]> {
  const found = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(`DATA_DIR=${root}`)) continue;
    found.push({ pid: Number(pid), sliceId: Number(/(?:^|\0)SLICE_ID=(\d+)/.exec(environment)?.[1]) });
  }
  return found;
}

/** The slices that run as containers, and those that have a volume. */
export async function containerSlices(
  installationId: string,
): Promise<Pick<SliceWorld, 'instances' | 'data'>> {
  const filters = { label: [`sluice.installation=${installationId}`, 'sluice.slice'] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  return { instances: labelledIds(containers), data: labelledIds(volumes) };
}

function labelledIds(all: readonly { Labels: Record<string, string> }[]): number[] {
  return all.map(({ Labels }) => Number(Labels['sluice.slice'])).toSorted((a, b) => a - b);
}
