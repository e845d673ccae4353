import { createHash, randomBytes } from 'node:crypto';
import { count, type Line, times } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { compare, medianOf, sample, type Sample } from '../lib/sample.ts';
import { Sluice } from '../peers/sluice.ts';
import type { Row } from './row.ts';

const SMALL = { sessions: 100, slices: 10 };
const LARGE = { sessions: 100_000, slices: 2000 };
/** Sessions in use at a time: as many as there are, or this many. */
const IN_USE = 1000;
const TARGET = 0.9;

interface World {
  readonly label: string;
  readonly sluice: Sluice;
  readonly cookies: readonly string[];
}

/** Whether the hot path notices how much is in the database, and how many sessions are in use. */
export const databaseSize: Row = {
  name: 'database-size',
  async run() {
    await using small = await Sluice.start();
    await using large = await Sluice.start();
    const worlds = [await populate(small, SMALL), await populate(large, LARGE)];
    const samples = worlds.map((): Sample[] => []);
    for (let round = 0; round < settings.rounds; round++) {
      for (const [i, { sluice, cookies }] of worlds.entries()) {
        samples[i]?.push(await sample({ url: sluice.url, cookies, cpuSeconds: () => sluice.cpuSeconds() }));
      }
    }
    const [few = [], many = []] = samples;
    const { ratio, byCpu } = compare(many, few);
    const lines = worlds.map(({ label }, i): Line => {
      const { requestsPerSecond, cpuMicros } = medianOf(samples[i] ?? []);
      const figures = `${count(requestsPerSecond)} requests/s, ${cpuMicros.toFixed(1)} µs CPU each`;
      const line = { what: 'database size', who: `Sluice, ${label}`, figures };
      if (i === 0) return line;
      const compared = `${times(ratio)} (by CPU ${times(byCpu)})`;
      return { ...line, compared, target: `≥ ${TARGET} ×`, reached: ratio >= TARGET };
    });
    return { lines, data: { few, many } };
  },
};

/**
 * Fills the database up to these figures. The sessions in use are the customer's own, on as many devices; the others
 * belong to strangers, each with a stopped slice, so that nothing is started for them.
 */
async function populate(sluice: Sluice, { sessions, slices }: typeof SMALL): Promise<World> {
  const ids = Array.from({ length: Math.min(sessions, IN_USE) }, () => randomBytes(32).toString('base64url'));
  const hashes = ids.map((id) => createHash('sha256').update(id).digest());
  await sluice.database.run(
    [
      `INSERT INTO "user" (id, email) SELECT gen_random_uuid(), 'user' || n || '@example.com' FROM generate_series(2, $1) n`,
      [slices],
    ],
    [
      `INSERT INTO slice (name, owner_id, runtime, memory_bytes, cpus, spec_hash, desired_state, status, observed_generation)
       SELECT id::text, id, 'process', 1, 1, '', 'stopped', 'stopped', 1 FROM "user" WHERE email LIKE 'user%'`,
    ],
    [
      `INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at)
       SELECT hash, $2, now(), now(), now() + interval '1 day' FROM unnest($1::bytea[]) hash`,
      [hashes, sluice.userId],
    ],
    [
      `INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at)
       SELECT sha256(n::text::bytea), owner.id, now(), now(), now() + interval '1 day'
       FROM generate_series(1, $1::int) n
       JOIN (SELECT id, row_number() OVER () AS place FROM "user" WHERE email LIKE 'user%') owner
         ON owner.place = n % ($2::int - 1) + 1`,
      [sessions - ids.length, slices],
    ],
    ['ANALYZE'],
  );
  return {
    label: `${count(sessions)} sessions, ${count(slices)} slices`,
    sluice,
    cookies: ids.map((id) => `session=${id}`),
  };
}
