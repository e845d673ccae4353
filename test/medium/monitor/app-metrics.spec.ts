import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SliceDatabaseFigures, SliceSupervision, type WatchedSlice } from '#orchestrator';
import { TelemetryReader } from '#monitor';
import { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { withClient } from '../../support/postgres.js';
import { TINY_SLICES } from '../../support/tiny-slices.js';

let gateway: Gateway;
let slice: WatchedSlice;

const CONFIG = `
appMetrics:
  - name: notes
    sql: select count(*) from note;
  - name: broken
    sql: select count(*) from no_such_table
`;

beforeAll(async () => {
  gateway = await Gateway.start({ env: TINY_SLICES, configFile: CONFIG });
  await gateway.operator().provision();
  const [only] = await gateway.get(SliceSupervision).all();
  if (only === undefined) throw new Error('no slice');
  slice = only;
  await inSlice('CREATE TABLE note (text text)', `INSERT INTO note VALUES ('one'), ('two')`);
}, 60_000);
afterAll(async () => {
  await gateway.operator().destroy(slice.id);
  await gateway[Symbol.asyncDispose]();
});

/** As the app would, in its own database. */
async function inSlice(...statements: string[]): Promise<unknown[]> {
  const connection = { ...gateway.database.connection, database: `slice_${slice.id}` };
  return withClient(connection, async (client) => {
    await client.query(`SET ROLE slice_${slice.id}`);
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  });
}

const sessions = () =>
  inSlice(
    `SELECT pid FROM pg_stat_activity WHERE usename = 'slice_${slice.id}' AND application_name = 'sluice-figures'`,
  );

const ask = async (...queries: string[]) =>
  gateway.get(SliceDatabaseFigures).ofApp(
    slice,
    queries.map((sql, i) => ({ name: `q${i}`, sql })),
    new AbortController().signal,
  );

const usage = async (signal: AbortSignal) =>
  (await gateway.get(SliceDatabaseFigures).usage(signal)).slices.get(slice.id);

describe('the app’s own figures', () => {
  it('are the first column of the first row, as a number', async () => {
    const { values, faults } = await ask(
      'select count(*) from note',
      'select 2.5::numeric, 7',
      `select '42'`,
      'with n as (select 3) select * from n; ',
      'select generate_series(5, 1e9::bigint)',
      'values (4) -- with a remark',
    );
    expect(faults).toEqual({});
    expect(values).toEqual({ q0: 2, q1: 2.5, q2: 42, q3: 3, q4: 5, q5: 4 });
  });

  it('that fail say why, without a word of the data, and take no other with them', async () => {
    const { values, faults } = await ask(
      'select text from note',
      'select 1 where false',
      `select 'NaN'::float8`,
      'select 1) as result (figure); drop table note; select figure from (select 1 as figure',
      'select 9',
    );
    expect(values).toEqual({ q4: 9 });
    expect(faults).toEqual({ q0: '22P02', q1: 'no row', q2: 'not finite', q3: '42601' });
  });

  it('change nothing, and are the slice’s own', async () => {
    await inSlice(`CREATE OR REPLACE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS $$
      BEGIN DELETE FROM note; RETURN 1; END $$`);
    const { faults } = await ask(
      'select writes()',
      `select set_config('transaction_read_only', 'off', true)::int`,
    );
    expect(faults['q0']).toBe('25006');
    expect(await inSlice('SELECT count(*)::int AS count FROM note')).toEqual([{ count: 2 }]);
    await inSlice(
      `CREATE OR REPLACE VIEW whoami AS SELECT CASE WHEN session_user = 'slice_${slice.id}' THEN 1 ELSE 0 END AS own`,
    );
    expect((await ask('select own from whoami')).values).toEqual({ q0: 1 });
  });

  it('have two seconds each', async () => {
    const { values, faults } = await ask('select 1 from pg_sleep(60)', 'select 1');
    expect(faults).toEqual({ q0: '57014' });
    expect(values).toEqual({ q1: 1 });
  });

  it('are broken off with the pass', async () => {
    const end = new AbortController();
    const asking = gateway
      .get(SliceDatabaseFigures)
      .ofApp(slice, [{ name: 'slow', sql: 'select 1 from pg_sleep(60)' }], end.signal);
    end.abort();
    expect((await asking).values).toEqual({});
    await eventually(async () => expect(await sessions()).toEqual([]));
  });

  it('of config.yml are in the sample, those that could be read', async () => {
    await gateway.get(MonitorPass).run(new AbortController().signal, Promise.resolve());
    const { slices } = await gateway.get(TelemetryReader).latest();
    expect(slices).toMatchObject([{ sliceId: slice.id, metrics: { notes: 2 } }]);
    const { slices: series } = await gateway.get(TelemetryReader).series([slice.id], 1);
    expect(series[0]?.metrics).toEqual({ notes: [2] });
  });
});

describe('the size of a slice’s database', () => {
  it('is known beside the number of its connections', async () => {
    const known = await usage(new AbortController().signal);
    expect(known).toEqual({ bytes: expect.any(Number), connections: expect.any(Number) });
  });

  it('is left out where it takes too long, and takes nothing else with it', async () => {
    const stop = new AbortController();
    const dataSource = gateway.get(DataSource);
    const query = dataSource.query.bind(dataSource);
    const slow = jest.spyOn(dataSource, 'query').mockImplementation((sql: string, ...rest: unknown[]) => {
      if (!sql.includes('pg_database_size')) return Reflect.apply(query, dataSource, [sql, ...rest]);
      stop.abort();
      return new Promise(() => undefined);
    });
    expect(await usage(stop.signal)).toEqual({ bytes: null, connections: expect.any(Number) });
    slow.mockRestore();
    expect((await usage(new AbortController().signal))?.bytes).toBeGreaterThan(0);
  });

  it('that takes too long does not keep those of the others from being read the next time', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      name: `slice_${900_000 + i}`,
      connections: 0,
      isOpen: true,
      maxConnections: 100,
    }));
    let stop = new AbortController();
    let batches: string[] = [];
    const query = jest
      .spyOn(gateway.get(DataSource), 'query')
      .mockImplementation(async (_sql, parameters) => {
        const names: string[] | undefined = Array.isArray(parameters) ? parameters[0] : undefined;
        if (names === undefined) return rows;
        batches.push(names[0] ?? '');
        if (!names.includes('slice_900025')) return names.map((name) => ({ name, bytes: '7' }));
        stop.abort();
        return new Promise(() => undefined);
      });
    const known = async () =>
      [...(await gateway.get(SliceDatabaseFigures).usage(stop.signal)).slices.values()].filter(
        ({ bytes }) => bytes === 7,
      ).length;
    await known();
    [stop, batches] = [new AbortController(), []];
    expect(await known()).toBe(20);
    expect(batches[0]).toBe('slice_900040');
    query.mockRestore();
  });
});
