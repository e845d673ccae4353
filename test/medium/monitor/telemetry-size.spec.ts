import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../libs/database/src/data-source-options.js';
import { TelemetryReader } from '../../../libs/monitor/src/telemetry/telemetry-reader.js';
import { TelemetryStore } from '../../../libs/monitor/src/telemetry/telemetry-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';
import { soak } from '../../support/soak.js';
import { TestClock } from '../../support/test-clock.js';

const DAY_MS = 86_400_000;
const SLICES = soak(1000, 4);
const PAGE = Math.min(50, SLICES);
const DAYS = 8;
/** A roll-up makes up for two hours at a time. */
const ROLLUPS_A_DAY = 13;

let database: TestDatabase;
let dataSource: DataSource;
let reader: TelemetryReader;
const clock = new TestClock();

/** A day of samples, one a minute for each slice, and what passes would have done with them until `end`. */
async function fillDay(end: Date): Promise<void> {
  const store = new TelemetryStore(dataSource);
  await store.prepare(end);
  await dataSource.query(
    `INSERT INTO slice_sample
     SELECT slice, at, true, 12, 'running', 1.5, 100e6, 8e6, 3, '{"notes": 7}'
       FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', '1 minute') at,
            generate_series(1, $3::int) slice`,
    [new Date(end.getTime() - DAY_MS), end, SLICES],
  );
  for (let i = 0; i < ROLLUPS_A_DAY; i += 1) await store.rollUp(end);
}

async function partitionsOf(table: string): Promise<string[]> {
  const rows = await dataSource.query<Array<{ name: string }>>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
    [table],
  );
  return rows.map(({ name }) => name);
}

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource({
    ...dataSourceOptions(database.connection, 4),
    extra: { query_timeout: 0 },
  }).initialize();
  reader = new TelemetryReader(dataSource, clock);
  const begin = clock.nowMs() - DAYS * DAY_MS;
  await dataSource.query('UPDATE monitor_state SET rolled_up_to = $1', [new Date(begin)]);
  for (let day = 1; day <= DAYS; day += 1) await fillDay(new Date(begin + day * DAY_MS));
}, 900_000);

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

describe(`the telemetry of ${SLICES} slices over ${DAYS} days`, () => {
  it.each([
    [1, 60],
    [16, 60],
    [17, 300],
    [83, 300],
    [84, 900],
    [168, 900],
  ])('over %i h has a point every %i s, and at most 1,000 of them', async (hours, step) => {
    const ids = Array.from({ length: PAGE }, (_, i) => i + 1);
    const { slices, stepSeconds } = await reader.series(ids, hours);
    expect(stepSeconds).toBe(step);
    expect(slices).toHaveLength(PAGE);
    for (const { at, metrics, ...columns } of slices) {
      expect(at.length).toBeLessThanOrEqual(1000);
      // The step under way has no sample yet.
      expect(at).toHaveLength((hours * 3600) / step - 1);
      expect(at.every((time, i) => i === 0 || time === (at[i - 1] ?? 0) + step)).toBe(true);
      expect(metrics['notes']).toEqual(at.map(() => 7));
      expect(columns.availability).toEqual(at.map(() => 1));
      expect(columns.memoryBytes).toEqual(at.map(() => 100e6));
    }
  });

  it('reads the last minutes from the samples, since no roll-up has them', async () => {
    const { slices } = await reader.series([1], 168);
    expect(new Date((slices[0]?.at.at(-1) ?? 0) * 1000)).toEqual(new Date(clock.nowMs() - 900_000));
    const [{ rolled }] = await dataSource.query<[{ rolled: Date }]>(
      `SELECT max(at) AS rolled FROM slice_rollup WHERE step_seconds = 900`,
    );
    expect(rolled.getTime()).toBeLessThan(clock.nowMs() - 900_000);
  });

  it('keeps what is read for long until later, and takes new samples all the same', async () => {
    const later = new Date(clock.nowMs() + 2 * DAY_MS);
    const store = new TelemetryStore(dataSource);
    await dataSource.transaction(async (busy) => {
      await busy.query('SELECT count(*) FROM slice_sample');
      await store.prepare(later);
      expect(await partitionsOf('slice_sample')).toEqual(
        expect.arrayContaining(['slice_sample_20251224', 'slice_sample_20260104']),
      );
    });
    await store.prepare(later);
    expect(await partitionsOf('slice_sample')).not.toContain('slice_sample_20251224');
  });

  it('loses whole days that are older than eight, and no sample that is not', async () => {
    const [oldest] = await partitionsOf('slice_sample');
    expect(oldest).toBe('slice_sample_20251226');
    const after = new Date(clock.nowMs() + 3 * DAY_MS);
    await new TelemetryStore(dataSource).prepare(after);
    for (const table of ['slice_sample', 'slice_rollup']) {
      const left = await partitionsOf(table);
      expect(left[0]).toBe(`${table}_20251227`);
      // Eight days, the one under way and tomorrow: however long it runs, it never gets more.
      expect(left).toHaveLength(10);
    }
  });
});
