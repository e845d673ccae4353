import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
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

describe('the folder of the process slices', () => {
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
