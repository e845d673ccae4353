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
  /** Networks of their own. */
  readonly networks: readonly number[];
  /** Containers that only serve to set up a volume, by name. */
  readonly helpers: readonly string[];
}

/** What there is of slices outside the database. */
export type HostWorld = Pick<SliceWorld, 'instances' | 'data' | 'networks' | 'helpers'>;

/**
 * A world in which there is everything of these slices, and nothing of any other.
 * @param reached by a port of the host each, or on a network each
 */
export function worldOf(ids: readonly number[], reached: 'ports' | 'networks' = 'ports'): SliceWorld {
  const all = ids.toSorted((a, b) => a - b);
  const reach = { ports: [], networks: [], [reached]: all };
  return { rows: all, databases: all, roles: all, instances: all, data: all, helpers: [], ...reach };
}

/**
 * Looks at the world itself, not through the gateway. A test database numbers its slices from its own OID times 1000:
 * by that the roles and databases of other tests on the same server are told apart.
 */
export async function lookAtSlices(
  { connection }: Pick<TestDatabase, 'connection'>,
  host: HostWorld,
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
export async function processSlices(dataDir: string): Promise<HostWorld> {
  const root = resolve(dataDir, 'slices');
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const installations = entries.filter((entry) => entry.isDirectory());
  const folders = await Promise.all(installations.map(({ name }) => readdir(join(root, name))));
  return {
    instances: (await processesBelow(root)).map(({ sliceId }) => sliceId).toSorted((a, b) => a - b),
    data: folders
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b),
    networks: [],
    helpers: [],
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

/** The slices that run as containers, and those that have a volume or a network. */
export async function containerSlices(installationId: string): Promise<HostWorld> {
  const ours = `sluice.installation=${installationId}`;
  const filters = { label: [ours, 'sluice.slice'] };
  const [containers, { Volumes: volumes }, networks] = await Promise.all([
    docker.listContainers({ all: true, filters: { label: [ours] } }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
  ]);
  return {
    instances: labelledIds(containers.filter(isSlice)),
    data: labelledIds(volumes),
    networks: labelledIds(networks.map(({ Labels }) => ({ Labels: Labels ?? {} }))),
    helpers: containers.filter((each) => !isSlice(each)).flatMap(({ Names }) => Names),
  };
}

function isSlice({ Labels }: { Labels: Record<string, string> }): boolean {
  return 'sluice.slice' in Labels;
}

function labelledIds(all: readonly { Labels: Record<string, string> }[]): number[] {
  return all.map(({ Labels }) => Number(Labels['sluice.slice'])).toSorted((a, b) => a - b);
}
