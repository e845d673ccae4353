import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { dataSourceOptions, Transactions } from '#database';
import { SliceRepository } from '../../../libs/orchestrator/src/slices/slice-repository.js';
import { controlOf } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
let dataSource: DataSource;
let slices: SliceRepository;

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource(dataSourceOptions(database.connection, 5)).initialize();
  slices = new SliceRepository(new Transactions(dataSource));
});

afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function newUser(): Promise<string> {
  const id = randomUUID();
  await dataSource.query('INSERT INTO "user" (id, email) VALUES ($1, $2)', [id, `${id}@example.com`]);
  return id;
}

async function newSlice(status = 'active', desired = 'running'): Promise<number> {
  const [row] = await dataSource.query<[{ id: number }]>(
    `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash, status, desired_state, claimable)
     VALUES (gen_random_uuid()::text, 'process', 1, 1, '', $1, $2, true) RETURNING id`,
    [status, desired],
  );
  return row.id;
}

describe('a sign-up that claims a ready slice', () => {
  it('takes another one than a sign-up that is not through yet, and does not wait for it', async () => {
    const [first, second] = [await newSlice(), await newSlice()];
    const [ada, grace] = [await newUser(), await newUser()];
    await dataSource.transaction(async (manager) => {
      expect((await slices.claim(ada, manager))?.id).toBe(first);
      expect((await slices.claim(grace))?.id).toBe(second);
      expect(await slices.claim(await newUser())).toBeNull();
    });
    expect((await slices.findByOwner(ada))?.id).toBe(first);
    expect((await slices.findByOwner(grace))?.id).toBe(second);
  });

  it('takes none that is not ready, or is to go', async () => {
    await newSlice('provisioning');
    await newSlice('failed');
    await newSlice('stopped', 'stopped');
    await newSlice('active', 'absent');
    expect(await slices.claim(await newUser())).toBeNull();
  });
});

describe('a customer who waited for a slice', () => {
  it('is heard of when one is made for them, by whoever remembers that they had none', async () => {
    const control = await controlOf(database);
    const heard: string[] = [];
    await control.listen('slice_changed', (payload) => heard.push(payload));
    await newSlice();
    const owner = await newUser();
    const { id } = await slices.insert(
      { name: 'theirs', ownerId: owner, runtime: 'process', memoryBytes: 1, cpus: 1, specHash: '' },
      dataSource.manager,
    );
    await eventually(async () => expect(heard).toEqual([`${id}:${owner}:`]));
    await control.stop();
  });
});

describe('a slice that is let go', () => {
  it('is not the one a customer was given a moment before', async () => {
    const slice = await newSlice();
    const owner = await newUser();
    await slices.claim(owner);
    expect(await slices.dismiss(slice, false)).toBe(false);
    expect((await slices.find(slice))?.desiredState).toBe('running');
    expect(await slices.dismiss(slice, true)).toBe(true);
  });

  it('never comes back', async () => {
    const slice = await newSlice();
    expect(await slices.dismiss(slice, false)).toBe(true);
    expect(await slices.desire(slice, { desiredState: 'running' })).toBe(false);
    expect(await slices.dismiss(slice, false)).toBe(false);
  });

  it('is not one that ran, or of which something newer is desired, when only its request was refused', async () => {
    const slice = await newSlice('failed');
    expect(await slices.withdraw(slice, 2)).toBe(false);
    await slices.observe(slice, 1, { lastHealthyAt: new Date() });
    expect(await slices.withdraw(slice, 1)).toBe(false);
    const other = await newSlice('failed');
    expect(await slices.withdraw(other, 1)).toBe(true);
  });
});
