import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { DataSource } from 'typeorm';
import { loadConfig } from '#config';
import { dataSourceOptions } from '#database';
import { PortAllocator } from '../../../libs/orchestrator/src/ports/port-allocator.js';
import { testEnvironment } from '../../support/gateway.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';
import { TestClock } from '../../support/test-clock.js';

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource(dataSourceOptions(database.connection, 5)).initialize();
  clock = new TestClock();
});

afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function portsFrom(from: number, to: number): Promise<PortAllocator> {
  const env = { ...testEnvironment(tmpdir(), database.url), SLICE_PORT_RANGE: `${from}-${to}` };
  const ports = new PortAllocator(dataSource, clock, loadConfig(env));
  await ports.prepare();
  return ports;
}

async function newSlice(): Promise<number> {
  const [row] = await dataSource.query<[{ id: number }]>(
    `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash)
     VALUES (gen_random_uuid()::text, 'process', 1, 1, '') RETURNING id`,
  );
  return row.id;
}

describe('the ports of slices', () => {
  it('are held by one slice each, also when many ask at once', async () => {
    const ports = await portsFrom(6001, 6010);
    const slices = await Promise.all(Array.from({ length: 10 }, newSlice));
    const held = await Promise.all(slices.map((id) => ports.hold(id)));
    expect(new Set(held)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => 6001 + index)));
    await expect(ports.hold(await newSlice())).rejects.toMatchObject({
      code: 'NO_FREE_PORT',
      retryAfterSeconds: 60,
    });
  });

  it('stay a slice’s until it gives them back', async () => {
    const ports = await portsFrom(6001, 6010);
    const slice = await newSlice();
    const port = await ports.hold(slice);
    await ports.hold(await newSlice());
    expect(await ports.hold(slice)).toBe(port);
  });

  it('rest for 60 s before they are given again', async () => {
    const ports = await portsFrom(6001, 6001);
    const [first, second] = [await newSlice(), await newSlice()];
    await ports.hold(first);
    await ports.release(first);
    clock.advance(59_999);
    await expect(ports.hold(second)).rejects.toMatchObject({ code: 'NO_FREE_PORT' });
    clock.advance(1);
    expect(await ports.hold(second)).toBe(6001);
  });

  it('are given in the order in which they became free', async () => {
    const ports = await portsFrom(6001, 6003);
    const [a, b, c] = [await newSlice(), await newSlice(), await newSlice()];
    for (const slice of [a, b, c]) await ports.hold(slice);
    for (const slice of [c, a, b]) {
      await ports.release(slice);
      clock.advance(1);
    }
    clock.advance(60_000);
    expect([await ports.hold(a), await ports.hold(b), await ports.hold(c)]).toEqual([6003, 6001, 6002]);
  });

  it('may be of a range that is no longer configured, until they are given back', async () => {
    const slice = await newSlice();
    await (await portsFrom(6001, 6001)).hold(slice);
    const ports = await portsFrom(7001, 7001);
    expect(await ports.hold(slice)).toBe(6001);
    await ports.release(slice);
    clock.advance(60_000);
    expect(await ports.hold(slice)).toBe(7001);
  });

  it('are given back only if the transaction that does so is committed', async () => {
    const ports = await portsFrom(6001, 6001);
    const slice = await newSlice();
    await ports.hold(slice);
    const undone = dataSource.transaction(async (manager) => {
      await ports.release(slice, manager);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await ports.hold(slice)).toBe(6001);
  });
});
