import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { SecretBox } from '#common';
import { loadConfig } from '#config';
import { dataSourceOptions } from '#database';
import { openInstallation } from '../../../libs/orchestrator/src/installation.js';
import { testEnvironment } from '../../support/gateway.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

const BOX = new SecretBox('the secret key of this installation');
const IN_PROCESSES = { SLICE_RUNTIME: 'process' };
const IN_CONTAINERS = { SLICE_IMAGE: 'acme/app' };

let folder: string;
let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-home-'));
  database = await createTestDatabase();
  dataSource = await new DataSource(dataSourceOptions(database.connection, 2)).initialize();
});

afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** What a gateway does with the installation when it starts. */
function open(env: NodeJS.ProcessEnv, dataDir = folder): Promise<unknown> {
  const config = loadConfig({ ...testEnvironment(dataDir, database.url), ...env });
  return openInstallation(dataSource, BOX, config);
}

async function newSlice(runtime: string, isPool = false): Promise<number> {
  const [row] = await dataSource.query<[{ id: number }]>(
    `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash, claimable)
     VALUES (gen_random_uuid()::text, $1, 1, 1, '', $2) RETURNING id`,
    [runtime, isPool],
  );
  return row.id;
}

describe('a gateway that starts where another runtime runs the slices', () => {
  it.each([
    ['process', IN_CONTAINERS],
    ['docker', IN_PROCESSES],
  ])('refuses while there are slices of %s, which it can neither run nor end', async (before, env) => {
    const id = await newSlice(before);
    await expect(open(env)).rejects.toThrow(`SLICE_RUNTIME=${before}`);
    await dataSource.query(`UPDATE slice SET desired_state = 'absent', status = 'destroying'`);
    await expect(open(env)).rejects.toThrow(`run by ${before} (slice ${id})`);
    await dataSource.query(`UPDATE slice SET status = 'destroyed', destroyed_at = now()`);
    await expect(open(env)).resolves.toBeDefined();
  });

  it('refuses for a slice of the pool as well, which may still run', async () => {
    await newSlice('process', true);
    await expect(open(IN_CONTAINERS)).rejects.toThrow('SLICE_POOL_SIZE=0');
  });

  it('names some of many slices', async () => {
    for (let made = 0; made < 7; made += 1) await newSlice('process');
    await expect(open(IN_CONTAINERS)).rejects.toThrow(/\(slices (\d+, ){4}\d+ and 2 more\)/);
  });

  it('starts where the slices are its own, or registered as they ran', async () => {
    await newSlice('docker');
    await newSlice('external');
    await expect(open(IN_CONTAINERS)).resolves.toBeDefined();
  });
});

describe('the folder of the process slices', () => {
  it('is no other one for having had no name, as after a crash', async () => {
    await open(IN_PROCESSES);
    await newSlice('process');
    await dataSource.query(`UPDATE installation SET process_home = ''`);
    await writeFile(join(folder, 'slices', 'home'), '');
    await open(IN_PROCESSES);
    const [{ home }] = await dataSource.query<[{ home: string }]>(
      'SELECT process_home AS home FROM installation',
    );
    expect(home).toMatch(/^[0-9a-f]{32}$/);
    await expect(open(IN_PROCESSES, join(folder, 'elsewhere'))).rejects.toThrow('another DATA_DIR');
  });

  it('is known again when it has moved, by a mark that moves with it', async () => {
    const [old, moved] = [join(folder, 'old'), join(folder, 'moved')];
    await open(IN_PROCESSES, old);
    await newSlice('process');
    await mkdir(moved);
    await rename(join(old, 'slices'), join(moved, 'slices'));
    await expect(open(IN_PROCESSES, moved)).resolves.toBeDefined();
    await expect(open(IN_PROCESSES, old)).rejects.toThrow('live in another DATA_DIR');
  });
});
