import { afterEach, describe, expect, it } from '@jest/globals';
import { Backends } from '#proxy';
import { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { BackendServer } from '../../support/backend-server.js';
import { eventually } from '../../support/eventually.js';
import { MonitorWorld } from '../../support/monitor-world.js';
import { NoticeReceiver } from '../../support/notice-receiver.js';
import { soak } from '../../support/soak.js';
import type { Mood } from '../../support/slice-apps.js';

/** Each round everything falls ill once, and gets well again. */
const PASSES_A_ROUND = 60;
const ROUNDS = soak(17, 1);

let world: MonitorWorld;
let receiver: NoticeReceiver;
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** What ails a slice, by the minute of the round. */
const COURSES: Record<string, (minute: number) => Mood> = {
  steady: () => 'well',
  slow: () => 'slow',
  hung: (minute) => (minute >= 5 && minute < 25 ? 'hung' : 'well'),
  // Never three times in a row.
  flapping: (minute) => (minute >= 5 && minute < 40 && minute % 2 === 0 ? 'unwell' : 'well'),
};

/** How many passes there were at the same moment. */
function watchOverlap(): { most: number } {
  const overlap = { most: 0 };
  let under = 0;
  const pass = world.gateway.get(MonitorPass);
  const run = pass.run.bind(pass);
  pass.run = async (signal, probes) => {
    under += 1;
    overlap.most = Math.max(overlap.most, under);
    await run(signal, probes).finally(() => (under -= 1));
  };
  return overlap;
}

describe(`${PASSES_A_ROUND * ROUNDS} passes`, () => {
  it(
    'never overlap, tell of each outage once when it has lasted and once when it is over, and see everything recover',
    async () => {
      receiver = await NoticeReceiver.start();
      let backend: BackendServer | null = await BackendServer.start();
      const { port, url } = backend;
      world = await MonitorWorld.start({
        env: { APPRISE_URL: `http://127.0.0.1:${receiver.port}/notify/x`, NOTIFY_AFTER_HOURS: '0.25' },
        configFile: `defaultBackend: ${url}\n`,
        byLoop: true,
        options: { checkTimeoutMs: 300, patienceMs: 20, flushMs: 20 },
      });
      const ids = new Map<string, number>();
      for (const name of Object.keys(COURSES)) ids.set(name, await world.addSlice('well', name));
      const overlap = watchOverlap();
      const upstream = () => world.gateway.get(Backends).get(url);

      for (let pass = 0; pass < PASSES_A_ROUND * ROUNDS; pass += 1) {
        const minute = pass % PASSES_A_ROUND;
        for (const [name, course] of Object.entries(COURSES))
          world.setMood(ids.get(name) ?? 0, course(minute));
        if (minute === 10) {
          await backend?.[Symbol.asyncDispose]();
          backend = null;
        }
        if (minute === 45) backend = await BackendServer.start(200, port);
        // The schedule does not wait for a pass that takes longer than an interval.
        const made = world.passes(1);
        await Promise.all([made, world.tick(), world.tick()]);
        // Ejected, and taken back, within one interval.
        expect(upstream()?.healthy).toBe(minute < 10 || minute >= 45);
      }

      expect(overlap.most).toBe(1);
      const perRound = [
        `Backend ${url} is down`,
        `Backend ${url} is up again`,
        `Slice ${ids.get('flapping')} (flapping) is down`,
        `Slice ${ids.get('flapping')} (flapping) is up again`,
        `Slice ${ids.get('hung')} (hung) is down`,
        `Slice ${ids.get('hung')} (hung) is up again`,
      ];
      await eventually(async () => expect(receiver.received).toHaveLength(perRound.length * ROUNDS), 30_000);
      expect(receiver.titles.toSorted()).toEqual(
        perRound.flatMap((title) => Array<string>(ROUNDS).fill(title)).toSorted(),
      );
      expect(await world.query('SELECT subject FROM outage')).toEqual([]);
      expect(await world.query('SELECT slice_id FROM slice_watch')).toEqual([]);
      expect(await world.query(`SELECT DISTINCT status FROM slice`)).toEqual([{ status: 'active' }]);
      // Every pass has a sample of every slice.
      expect(await world.query('SELECT count(*)::int AS count FROM slice_sample')).toEqual([
        { count: PASSES_A_ROUND * ROUNDS * ids.size },
      ]);
      await backend?.[Symbol.asyncDispose]();
    },
    soak(900_000, 120_000),
  );
});
