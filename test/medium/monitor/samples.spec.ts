import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { TelemetryReader } from '#monitor';
import { type DatabaseFigures, SliceDatabaseFigures } from '#orchestrator';
import { BackendServer } from '../../support/backend-server.js';
import { eventually } from '../../support/eventually.js';
import { MINUTE_MS, MonitorWorld } from '../../support/monitor-world.js';
import { RecordingLogger } from '../../support/recording-logger.js';

let world: MonitorWorld;
afterEach(() => world[Symbol.asyncDispose]());

/** A roll-up of so many good checks. */
const step = (seconds: number, minute: number, checks: number) => ({
  step_seconds: seconds,
  at: new Date(Date.parse('2026-01-01T00:00:00Z') + minute * 60_000),
  checks,
  healthy: checks,
});

describe('a pass', () => {
  it('has each backend asked once', async () => {
    await using backend = await BackendServer.start();
    world = await MonitorWorld.start({ configFile: `defaultBackend: ${backend.url}\n` });
    // At once when it came to be known.
    await eventually(async () => expect(backend.asked).toHaveLength(1));
    await world.passes(3);
    expect(backend.asked).toHaveLength(4);
  });

  it('stores what it saw of each slice and of the server', async () => {
    world = await MonitorWorld.start();
    const [well, unwell] = [await world.addSlice('well'), await world.addSlice('unwell')];
    const stopped = await world.addSlice();
    await world.query(`UPDATE slice SET desired_state = 'stopped', status = 'stopped' WHERE id = $1`, [
      stopped,
    ]);
    world.runtime.states?.delete(stopped);
    await world.passes(2);
    const { server, slices } = await world.gateway.get(TelemetryReader).latest();
    expect(slices).toEqual([
      {
        sliceId: well,
        at: world.clock.now(),
        healthy: true,
        latencyMs: expect.any(Number),
        state: 'running',
        cpuPercent: expect.any(Number),
        memoryBytes: 50e6,
        databaseBytes: null,
        connections: null,
        metrics: {},
      },
      expect.objectContaining({ sliceId: unwell, healthy: false, latencyMs: null, state: 'running' }),
      expect.objectContaining({ sliceId: stopped, healthy: null, state: 'absent', memoryBytes: null }),
    ]);
    // The stub's second of CPU time in the minute between two passes.
    expect(slices[0]?.cpuPercent).toBeCloseTo((1 / 60) * 100, 3);
    expect(server).toEqual({
      at: world.clock.now(),
      cpuPercent: expect.any(Number),
      load: expect.any(Number),
      memoryUsedBytes: expect.any(Number),
      memoryTotalBytes: expect.any(Number),
      diskUsedBytes: expect.any(Number),
      diskTotalBytes: expect.any(Number),
      connections: expect.any(Number),
      maxConnections: expect.any(Number),
    });
  });

  it('keeps when a slice was well last', async () => {
    world = await MonitorWorld.start();
    const [well, unwell] = [await world.addSlice(), await world.addSlice('unwell')];
    await world.query(`UPDATE slice SET last_healthy_at = NULL`);
    await world.passes(1);
    expect(await world.query('SELECT id, last_healthy_at AS at FROM slice ORDER BY id')).toEqual([
      { id: well, at: world.clock.now() },
      { id: unwell, at: null },
    ]);
  });

  it('knows less, and goes on, while the engine does not answer', async () => {
    world = await MonitorWorld.start();
    await world.addSlice();
    world.runtime.states = null;
    await world.passes(1);
    const { slices } = await world.gateway.get(TelemetryReader).latest();
    expect(slices).toMatchObject([{ healthy: true, state: null, memoryBytes: null, cpuPercent: null }]);
  });

  it('logs what went wrong once, and again when it was well in between', async () => {
    world = await MonitorWorld.start();
    await world.addSlice();
    const log = new RecordingLogger();
    Logger.overrideLogger(log);
    try {
      for (const isBroken of [true, true, false, true]) {
        world.runtime.reach = () =>
          isBroken ? Promise.reject(new Error('no way there')) : Promise.resolve();
        // Its reach is looked at once for each generation.
        await world.query(
          'UPDATE slice SET generation = generation + 1, observed_generation = generation + 1',
        );
        await world.passes(1);
      }
    } finally {
      Logger.overrideLogger(true);
    }
    expect(log.lines.filter((line) => line.includes('no way there'))).toHaveLength(2);
  });

  it('checks slices before it is known how large their databases are', async () => {
    world = await MonitorWorld.start();
    const id = await world.addSlice();
    const usage = Promise.withResolvers<DatabaseFigures>();
    jest.spyOn(world.gateway.get(SliceDatabaseFigures), 'usage').mockReturnValue(usage.promise);
    world.setMood(id, 'hung');
    const pass = world.pass();
    await eventually(async () => expect(world.apps.pending).toBe(1));
    world.apps.release();
    usage.resolve({
      slices: new Map([[id, { bytes: 7, connections: 1 }]]),
      connections: 1,
      maxConnections: 9,
    });
    await pass;
    const { server, slices } = await world.gateway.get(TelemetryReader).latest();
    expect(slices).toMatchObject([{ databaseBytes: 7 }]);
    expect(server?.maxConnections).toBe(9);
  });

  it.each([
    ['one', 1],
    // More than there are slots: who hangs gives its slot to the next one.
    ['many', 12],
  ])('stores the samples of the others no second later while %s of them hang', async (_, hanging) => {
    world = await MonitorWorld.start({ options: { parallelism: 2, patienceMs: 20, flushMs: 20 } });
    // A sample's own time is that of its pass; this is when it was stored.
    await world.query('ALTER TABLE slice_sample ADD stored_at timestamptz DEFAULT clock_timestamp()');
    const stalled: number[] = [];
    for (let i = 0; i < hanging; i += 1) stalled.push(await world.addSlice());
    for (let i = 0; i < 20; i += 1) await world.addSlice();
    /** From the beginning of a pass until the last of the others' samples was stored. */
    const delayOf = async (begun: number): Promise<number> => {
      const [{ last, count }] = await world.query<{ last: Date; count: number }>(
        'SELECT max(stored_at) AS last, count(*)::int AS count FROM slice_sample WHERE at = $1 AND slice_id <> ALL($2)',
        [world.clock.now(), stalled],
      );
      expect(count).toBe(20);
      return last.getTime() - begun;
    };
    let begun = Date.now();
    await world.pass();
    const usual = await delayOf(begun);

    for (const id of stalled) world.setMood(id, 'hung');
    world.clock.advance(MINUTE_MS);
    begun = Date.now();
    const pass = world.pass();
    await eventually(async () => expect((await delayOf(begun)) - usual).toBeLessThan(1000), 9000);
    expect(world.apps.pending).toBe(hanging);
    world.apps.release();
    await pass;
    expect(await world.query('SELECT FROM slice_sample WHERE at = $1', [world.clock.now()])).toHaveLength(
      20 + hanging,
    );
  });

  it('rolls up what is complete, once', async () => {
    world = await MonitorWorld.start();
    await world.addSlice();
    await world.passes(17);
    const rolled = () =>
      world.query('SELECT step_seconds, at, checks, healthy FROM slice_rollup ORDER BY step_seconds, at');
    // The first pass was at minute 1.
    const expected = [step(300, 0, 4), step(300, 5, 5), step(300, 10, 5), step(900, 0, 14)];
    expect(await rolled()).toEqual(expected);
    await world.passes(2);
    expect(await rolled()).toEqual(expected);
  });
});
