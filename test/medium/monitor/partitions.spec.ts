import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '#database';
import { TelemetryStore } from '../../../libs/monitor/src/telemetry/telemetry-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource(dataSourceOptions(database.connection, 2)).initialize();
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

it('drops partitions by the day in their names, and none that is called otherwise', async () => {
  const attach = (name: string, from: string, to: string) =>
    dataSource.query(
      `CREATE TABLE ${name} PARTITION OF slice_sample FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
  await attach('slice_sample_20200101', '2020-01-01Z', '2020-01-02Z');
  await attach('slice_sample_archive', '2019-01-01Z', '2020-01-01Z');
  await new TelemetryStore(dataSource).prepare(new Date('2026-01-10T12:00:00Z'));
  const rows = await dataSource.query<Array<{ name: string }>>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'slice_sample'::regclass ORDER BY 1`,
  );
  expect(rows.map(({ name }) => name)).toEqual([
    'slice_sample_20260109',
    'slice_sample_20260110',
    'slice_sample_20260111',
    'slice_sample_archive',
  ]);
});
