import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { eventually } from '../../support/eventually.js';
import { MINUTE_MS, MonitorWorld } from '../../support/monitor-world.js';

let world: MonitorWorld;

beforeEach(async () => {
  world = await MonitorWorld.start({ options: { checkTimeoutMs: 500, patienceMs: 20, flushMs: 20 } });
});
afterEach(() => world[Symbol.asyncDispose]());

const remembered = () => world.query<{ slice_id: number }>('SELECT slice_id FROM slice_watch');

describe('a slice that does not answer its health check', () => {
  it.each(['unwell', 'hung'] as const)('is restarted after three checks in a row (%s)', async (mood) => {
    const [ill, other] = [await world.addSlice(mood), await world.addSlice()];
    await world.passes(2);
    expect(world.restarts.size).toBe(0);
    await world.passes(1);
    expect([...world.restarts]).toEqual([[ill, 1]]);
    expect(await world.status(other)).toBe('active');
  });

  it('is restarted while backends are still waited for', async () => {
    const id = await world.addSlice('unwell');
    await world.passes(2);
    world.clock.advance(MINUTE_MS);
    const probes = Promise.withResolvers<void>();
    const pass = world.gateway.get(MonitorPass).run(new AbortController().signal, probes.promise);
    await eventually(async () =>
      expect(await world.query('SELECT generation FROM slice WHERE id = $1', [id])).toEqual([
        { generation: 2 },
      ]),
    );
    probes.resolve();
    await pass;
  });

  it('is not restarted when it answers in between', async () => {
    const id = await world.addSlice();
    for (let i = 0; i < 5; i += 1) {
      world.setMood(id, 'unwell');
      await world.passes(2);
      world.setMood(id, 'well');
      await world.passes(1);
    }
    expect(world.restarts.size).toBe(0);
  });

  it('is restarted ever more rarely, and failed after five that did not help; then it is only checked', async () => {
    const id = await world.addSlice('unwell');
    const restartedAt: number[] = [];
    for (let minute = 1; minute <= 60 && (await world.status(id)) === 'active'; minute += 1) {
      const before = world.restarts.get(id) ?? 0;
      await world.passes(1);
      if ((world.restarts.get(id) ?? 0) > before) restartedAt.push(minute);
    }
    // The delay after the n-th is 2^n minutes, and never less than the three checks.
    expect(restartedAt).toEqual([3, 6, 10, 18, 34]);
    expect(await world.status(id)).toBe('failed');
    const [slice] = await world.query('SELECT last_error, last_error_code FROM slice WHERE id = $1', [id]);
    expect(slice).toEqual({
      last_error: expect.stringContaining('5 restarts did not help'),
      last_error_code: 'SLICE_UNHEALTHY',
    });
    await world.passes(20);
    expect(world.restarts.get(id)).toBe(5);

    world.setMood(id, 'well');
    await world.passes(1);
    expect(await world.status(id)).toBe('active');
    await world.passes(9);
    expect(await remembered()).toEqual([]);
  });

  it('that somebody stopped stays stopped', async () => {
    const id = await world.addSlice('unwell');
    await world.passes(2);
    await world.query(
      `UPDATE slice SET desired_state = 'stopped', generation = generation + 1 WHERE id = $1`,
      [id],
    );
    await world.passes(5);
    expect(await world.status(id)).toBe('stopped');
    // What the stub reconciler did was the stop.
    expect(world.restarts.get(id)).toBe(1);
    expect(await remembered()).toEqual([]);
    const samples = await world.query(
      'SELECT healthy FROM slice_sample WHERE slice_id = $1 ORDER BY at DESC LIMIT 1',
      [id],
    );
    expect(samples).toEqual([{ healthy: null }]);
  });

  it('is left to the reconciler while its app does not run, or nobody knows', async () => {
    const id = await world.addSlice('unwell');
    world.runtime.states?.set(id, 'exited');
    await world.passes(4);
    world.runtime.states = null;
    await world.passes(4);
    expect(world.restarts.size).toBe(0);
    expect(await world.query('SELECT DISTINCT healthy FROM slice_sample')).toEqual([{ healthy: false }]);
  });

  it('is not restarted at its first failed check after the reconciler has brought it up again', async () => {
    const id = await world.addSlice('unwell');
    const fail = `UPDATE slice SET status = 'failed', last_error = 'x', last_error_code = 'SLICE_PROVISIONING_FAILED'`;
    await world.query(fail);
    await world.passes(4);
    await world.query(`UPDATE slice SET status = 'active', last_error = NULL, last_error_code = NULL`);
    world.runtime.states?.set(id, 'exited');
    await world.passes(4);
    world.runtime.states?.set(id, 'running');
    await world.passes(2);
    expect(world.restarts.size).toBe(0);
    await world.passes(1);
    expect(world.restarts.get(id)).toBe(1);
  });

  it('is not restarted with most of the others: that is no fault of theirs', async () => {
    for (let i = 0; i < 12; i += 1) await world.addSlice(i < 11 ? 'unwell' : 'well');
    await world.passes(5);
    expect(world.restarts.size).toBe(0);
    world.apps.moods.clear();
    await world.passes(10);
    expect(await remembered()).toEqual([]);
  });

  it.each([
    ['failed long ago', { status: 'failed', last_error: 'x', last_error_code: 'SLICE_PROVISIONING_FAILED' }],
    ['run elsewhere', { runtime: 'external' }],
  ])('is restarted however many others %s', async (_title, others) => {
    const ids = [];
    for (let i = 0; i < 10; i += 1) ids.push(await world.addSlice('unwell'));
    const columns = Object.keys(others).map((name, i) => `${name} = $${i + 2}`);
    await world.query(`UPDATE slice SET ${columns.join(', ')} WHERE id = ANY($1)`, [
      ids,
      ...Object.values(others),
    ]);
    for (let i = 0; i < 4; i += 1) await world.addSlice();
    const hung = await world.addSlice('hung');
    await world.passes(3);
    expect([...world.restarts]).toEqual([[hung, 1]]);
  });
});

describe('what the monitor remembers', () => {
  it('comes with the restart it is of: none is ordered that could not be remembered', async () => {
    const id = await world.addSlice('unwell');
    await world.passes(2);
    await world.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$`,
    );
    await world.query(
      'CREATE TRIGGER refuse BEFORE UPDATE ON slice_watch FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    await expect(world.passes(1)).rejects.toThrow('no room');
    expect(await world.query('SELECT generation FROM slice')).toEqual([{ generation: 1 }]);
    await world.query('DROP TRIGGER refuse ON slice_watch');
    await world.passes(1);
    expect(world.restarts.get(id)).toBe(1);
    expect(await world.query('SELECT restarts FROM slice_watch')).toEqual([{ restarts: 1 }]);
  });

  it('counts for the replica that goes on', async () => {
    const id = await world.addSlice('unwell');
    await world.passes(2);
    await using replica = await MonitorWorld.start({ replicaOf: world });
    await replica.passes(1);
    expect([...replica.restarts]).toEqual([[id, 1]]);
  });

  it('does not count against a slice that was changed or restarted by somebody', async () => {
    const id = await world.addSlice('unwell');
    await world.passes(2);
    await world.query(
      'UPDATE slice SET generation = generation + 1, observed_generation = observed_generation + 1 WHERE id = $1',
      [id],
    );
    await world.passes(2);
    expect(world.restarts.size).toBe(0);
  });

  it('is of no say in a pass that a later one has overtaken', async () => {
    const id = await world.addSlice('hung');
    await using replica = await MonitorWorld.start({
      replicaOf: world,
      options: { checkTimeoutMs: 10_000 },
    });
    const lost = new AbortController();
    const pass = replica.pass(lost.signal);
    world.clock.advance(MINUTE_MS);
    lost.abort();
    await pass;
    expect(await remembered()).toEqual([]);
    expect(await world.query('SELECT FROM slice_sample WHERE slice_id = $1', [id])).toEqual([]);
  });
});
