import { performance } from 'node:perf_hooks';
import { count, type Line } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median, percentile } from '../lib/statistics.ts';
import { Sluice } from '../peers/sluice.ts';
import type { Row } from './row.ts';

const SLICES = 2000;
const DAYS = 7;
/** As often as the monitor looks. */
const LAST_DAY_STEP = '1 minute';
/** Of the days before only this many: the dashboard reads what is latest, and they are there to be in its way. */
const EARLIER_STEP = '10 minutes';
const PIECE_HOURS = 3;
const TARGET_MS = 100;
const REQUESTS = 20;

/** How long the operator waits for the dashboard of 2,000 slices and a week of telemetry. */
export const dashboard: Row = {
  name: 'dashboard',
  async run() {
    await using sluice = await Sluice.start({ env: { MONITOR_INTERVAL_SECONDS: '0' } });
    await populate(sluice);
    const { origin } = new URL(sluice.url);
    const answers: { ms: number; bytes: number }[] = [];
    // The first one finds nothing prepared.
    await ask(origin, sluice.adminKey);
    for (let i = 0; i < REQUESTS * settings.rounds; i++) answers.push(await ask(origin, sluice.adminKey));
    const ms = answers.map((answer) => answer.ms);
    const [typical, slow] = [median(ms), percentile(ms, 95)];
    const line: Line = {
      what: 'dashboard',
      who: `Sluice, ${count(SLICES)} slices, ${DAYS} days of telemetry`,
      figures: `median ${typical.toFixed(0)} ms, p95 ${slow.toFixed(0)} ms, ${count((answers[0]?.bytes ?? 0) / 1024)} KiB`,
      target: `median ≤ ${TARGET_MS} ms`,
      reached: typical <= TARGET_MS,
    };
    return { lines: [line], data: { ms, earlierStep: EARLIER_STEP } };
  },
};

async function ask(origin: string, adminKey: string): Promise<{ ms: number; bytes: number }> {
  const begun = performance.now();
  const answer = await fetch(`${origin}/admin/dashboard`, { headers: { 'x-admin-key': adminKey } });
  const text = await answer.text();
  const ms = performance.now() - begun;
  const seen = JSON.parse(text).slices?.list?.filter((slice: { at: string | null }) => slice.at !== null);
  if (answer.status !== 200 || !(seen?.length >= SLICES))
    throw new Error(`${answer.status}: ${text.slice(0, 300)}`);
  return { ms, bytes: text.length };
}

/** Strangers with a stopped slice each, so that nothing is started for them; and what the monitor would have seen. */
async function populate({ database }: Sluice): Promise<void> {
  await database.run(
    [
      `INSERT INTO "user" (id, email) SELECT gen_random_uuid(), 'user' || n || '@example.com' FROM generate_series(1, $1) n`,
      [SLICES],
    ],
    [
      `INSERT INTO slice (name, owner_id, runtime, memory_bytes, cpus, spec_hash, desired_state, status, observed_generation)
       SELECT id::text, id, 'process', 1, 1, '', 'stopped', 'stopped', 1 FROM "user" WHERE email LIKE 'user%'`,
    ],
  );
  await database.run([
    `DO $do$ DECLARE day date; BEGIN
           FOR day IN SELECT generate_series(now() - interval '${DAYS} days', now() + interval '1 day', '1 day')::date
           LOOP EXECUTE format('CREATE TABLE IF NOT EXISTS slice_sample_%s PARTITION OF slice_sample FOR VALUES FROM (%L) TO (%L)',
             to_char(day, 'YYYYMMDD'), day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
           END LOOP; END $do$`,
  ]);
  // In pieces: a statement of the gateway's may take no longer than some seconds.
  for (let hoursAgo = DAYS * 24; hoursAgo > 0; hoursAgo -= PIECE_HOURS) {
    const step = hoursAgo <= 24 ? LAST_DAY_STEP : EARLIER_STEP;
    await database.run([
      `INSERT INTO slice_sample (slice_id, at, healthy, latency_ms, state, cpu_percent, memory_bytes, database_bytes, connections, metrics)
         SELECT slice.id, at, true, 12, 'running', 1.5, 100e6, 8e6, 3, '{"notes": 7}'
           FROM generate_series(now() - interval '${hoursAgo} hours', now() - interval '${hoursAgo - PIECE_HOURS} hours', interval '${step}') at,
                slice WHERE slice.destroyed_at IS NULL
         ON CONFLICT DO NOTHING`,
    ]);
  }
  await database.run(
    [
      `INSERT INTO server_sample (at, cpu_percent, load, memory_used_bytes, memory_total_bytes) VALUES (now(), 1, 1, 1, 1)`,
    ],
    ['ANALYZE'],
  );
}
