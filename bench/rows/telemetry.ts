import { performance } from 'node:perf_hooks';
import { MonitorState } from '#database';
import { TelemetryStore } from '#monitor';
import { count, type Line } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median, percentile } from '../lib/statistics.ts';
import { Sluice } from '../peers/sluice.ts';
import type { Row } from './row.ts';

const SLICES = 1000;
/** As many to a page as there are. */
const PAGE = 50;
const HOURS = 168;
const DAYS = 8;
const DAY_MS = 86_400_000;
const PIECE_MS = DAY_MS / 12;
const TARGET_MS = 500;
const REQUESTS = 10;

/** How long the operator waits for a week of a page of slices, where 1,000 of them were sampled every minute. */
export const telemetry: Row = {
  name: 'telemetry',
  async run() {
    await using sluice = await Sluice.start({ env: { MONITOR_INTERVAL_SECONDS: '0' } });
    await populate(sluice);
    const { origin } = new URL(sluice.url);
    // The first one finds nothing prepared.
    const answers = [await ask(origin, sluice.adminKey, 0)];
    for (let i = 1; i <= REQUESTS * settings.rounds; i++)
      answers.push(await ask(origin, sluice.adminKey, i % (SLICES / PAGE)));
    const ms = answers.slice(1).map((answer) => answer.ms);
    const [typical, slow] = [median(ms), percentile(ms, 95)];
    const line: Line = {
      what: 'telemetry',
      who: `Sluice, ${HOURS} h of ${PAGE} of ${count(SLICES)} slices`,
      figures: `median ${typical.toFixed(0)} ms, p95 ${slow.toFixed(0)} ms, ${count((answers[0]?.bytes ?? 0) / 1024)} KiB`,
      target: `median ≤ ${TARGET_MS} ms`,
      reached: typical <= TARGET_MS,
    };
    return { lines: [line], data: { ms, firstMs: answers[0]?.ms } };
  },
};

async function ask(origin: string, adminKey: string, page: number): Promise<{ ms: number; bytes: number }> {
  const begun = performance.now();
  const url = `${origin}/admin/telemetry/slices?hours=${HOURS}&page=${page + 1}`;
  const answer = await fetch(url, { headers: { 'x-admin-key': adminKey } });
  const text = await answer.text();
  const ms = performance.now() - begun;
  const { slices = [], stepSeconds } = JSON.parse(text);
  const points = Math.min(...slices.map(({ at }: { at: readonly number[] }) => at.length));
  // Of a whole week, but for its ends.
  if (answer.status !== 200 || slices.length !== PAGE || points < (HOURS * 3600) / stepSeconds - 2)
    throw new Error(`${answer.status}: ${text.slice(0, 300)}`);
  return { ms, bytes: text.length };
}

/** Stopped slices, so that nothing is started for them; what the monitor would have seen; and its own roll-ups. */
async function populate({ database }: Sluice): Promise<void> {
  const now = Date.now();
  const begin = now - DAYS * DAY_MS;
  await database.use(async (dataSource) => {
    const [{ own }] = await dataSource.query<[{ own: number }]>('SELECT count(*)::int AS own FROM slice');
    await dataSource.query(
      `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash, desired_state, status, observed_generation)
       SELECT 'slice ' || n, 'process', 1, 1, '', 'stopped', 'stopped', 1 FROM generate_series(1, $1::int) n`,
      [SLICES - own],
    );
    const store = new TelemetryStore(dataSource);
    for (let day = 1; day <= DAYS; day++) await store.prepare(new Date(begin + day * DAY_MS));
    // In pieces: a statement of the gateway's may take no longer than some seconds.
    for (let at = begin; at < now; at += PIECE_MS) {
      await dataSource.query(
        `INSERT INTO slice_sample (slice_id, at, healthy, latency_ms, state, cpu_percent, memory_bytes, database_bytes, connections, metrics)
         SELECT slice.id, at, true, 12, 'running', 1.5, 100e6, 8e6, 3, '{"notes": 7}'
           FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 millisecond', '1 minute') at, slice
          WHERE slice.destroyed_at IS NULL`,
        [new Date(at), new Date(at + PIECE_MS)],
      );
    }
    await dataSource.manager.update(MonitorState, { id: 1 }, { rolledUpTo: new Date(begin) });
    let [before, after] = [0, begin];
    while (after > before) {
      before = after;
      await store.rollUp(new Date(now));
      const { rolledUpTo } = await dataSource.manager.findOneByOrFail(MonitorState, { id: 1 });
      after = rolledUpTo?.getTime() ?? 0;
    }
    await dataSource.query('ANALYZE');
  });
}
