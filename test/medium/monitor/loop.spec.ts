import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { Metrics, SystemClock } from '#common';
import type { AppConfig } from '#config';
import { type ControlConnection, dataSourceOptions } from '#database';
import type { BackendProber } from '#proxy';
import { MonitorLoop } from '../../../libs/monitor/src/watch/monitor-loop.js';
import { MonitorOptions } from '../../../libs/monitor/src/watch/monitor-options.js';
import type { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { controlOf, terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let dataSource: DataSource;
let open: Array<{ loop: MonitorLoop; control: ControlConnection }>;
let atOnce: number;
let mostAtOnce: number;
let passes: string[];
/** What a pass waits for. */
let gate: Promise<void>;
let probes: Array<Promise<void>>;
/** What passes got of them. */
let handedOn: Array<Promise<void>>;
/** What a pass waits for once its leader's time is over: it finishes what it writes. */
let linger: Promise<void>;

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(true));

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource(dataSourceOptions(database.connection, 4)).initialize();
  [open, passes, gate] = [[], [], Promise.resolve()];
  linger = Promise.resolve();
  [atOnce, mostAtOnce] = [0, 0];
  [probes, handedOn] = [[], []];
});
afterEach(async () => {
  for (const { loop, control } of open) {
    await loop.beforeApplicationShutdown();
    await control.stop();
  }
  await dataSource.destroy();
  await database.drop();
});

/** A pass that takes until the gate opens, or until its leader's time is over. */
function passOf(name: string): Pick<MonitorPass, 'run'> {
  return {
    run: async (signal, probing) => {
      passes.push(name);
      handedOn.push(probing);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => ended.resolve());
      await Promise.race([gate, ended.promise.then(() => linger)]);
      await dataSource.query('UPDATE monitor_state SET last_pass_at = now()');
      atOnce -= 1;
    },
  };
}

async function replica(name: string, intervalMs: number | null = HOUR_MS): Promise<MonitorLoop> {
  const control = await controlOf(database);
  const prober: Pick<BackendProber, 'probeAll'> = {
    probeAll: () => {
      const probing = Promise.resolve();
      probes.push(probing);
      return probing;
    },
  };
  const loop = new MonitorLoop(
    new SchedulerRegistry(),
    control,
    passOf(name) as MonitorPass,
    prober as BackendProber,
    dataSource,
    new SystemClock(),
    { monitor: { intervalMs } } as AppConfig,
    new MonitorOptions({ jitterMs: 0 }),
    new Metrics(),
  );
  open.push({ loop, control });
  loop.onApplicationBootstrap();
  return loop;
}

const hasRun = (...names: string[]) => eventually(async () => expect(passes).toEqual(names));

describe('the monitor', () => {
  it('makes its first pass at once when none was made for an interval, else when the next is due', async () => {
    await replica('first');
    await hasRun('first');
    await open[0]?.loop.beforeApplicationShutdown();
    const second = await replica('second');
    // By the time it leads, a tick of it is a pass.
    await eventually(async () => {
      await second.tick();
      expect(passes).toEqual(['first', 'second']);
    });
  });

  it('makes a pass at each interval', async () => {
    await replica('it', 50);
    await eventually(async () => expect(passes.length).toBeGreaterThan(3));
    expect(mostAtOnce).toBe(1);
  });

  it('makes one pass at a time, however long one takes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const loop = await replica('it', 20);
    await hasRun('it');
    void loop.tick();
    void loop.tick();
    await new Promise(setImmediate);
    expect(passes).toEqual(['it']);
    resolve();
    await eventually(async () => expect(passes.length).toBeGreaterThan(2));
    expect(mostAtOnce).toBe(1);
  });

  it('is run by one of two replicas, and the other only probes', async () => {
    const [one, other] = [await replica('one'), await replica('other')];
    await hasRun('one');
    for (let i = 0; i < 3; i += 1) await Promise.all([one.tick(), other.tick()]);
    expect(passes).toEqual(['one', 'one', 'one', 'one']);
    // One of each gateway at each interval, the leader's first pass being one more.
    expect(probes).toHaveLength(7);
    expect(handedOn.every((each) => probes.includes(each))).toBe(true);
  });

  it('ends its pass before another replica begins one, when it stops', async () => {
    gate = new Promise(() => undefined);
    const [one, other] = [await replica('one'), await replica('other')];
    await hasRun('one');
    await one.beforeApplicationShutdown();
    expect(atOnce).toBe(0);
    await eventually(async () => {
      void other.tick();
      expect(passes).toEqual(['one', 'other']);
    });
    expect(mostAtOnce).toBe(1);
  });

  it('keeps its place until its pass has ended', async () => {
    gate = new Promise(() => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    linger = promise;
    const loop = await replica('it');
    await hasRun('it');
    const control = await controlOf(database);
    const stopped = loop.beforeApplicationShutdown();
    // The lock would have been given back within a few of these.
    for (let i = 0; i < 100; i += 1) expect(await control.tryLock('monitor')).toBeNull();
    resolve();
    await stopped;
    expect(await control.tryLock('monitor')).not.toBeNull();
    await control.stop();
  });

  it('ends its pass when its connection is lost, and somebody goes on', async () => {
    gate = new Promise(() => undefined);
    const loops = [await replica('one'), await replica('other')];
    await hasRun('one');
    await terminateControl(database);
    await eventually(async () => {
      for (const loop of loops) void loop.tick();
      expect(passes).toHaveLength(2);
    });
    expect(mostAtOnce).toBe(1);
  });

  it('that is switched off probes the backends all the same', async () => {
    const loop = await replica('it', null);
    await loop.tick();
    expect(passes).toEqual([]);
    expect(probes).toHaveLength(1);
  });

  it('goes on after a pass that failed', async () => {
    gate = Promise.reject(new Error('the database is away'));
    gate.catch(() => undefined);
    const loop = await replica('it');
    await hasRun('it');
    await loop.tick();
    expect(passes).toEqual(['it', 'it']);
  });
});
