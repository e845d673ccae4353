import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SliceRuntime, SliceSupervision } from '#orchestrator';
import { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { eventually } from '../../support/eventually.js';
import { getJson } from '../../support/get-json.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';

let installation: Installation;
let gateway: Gateway;

beforeAll(async () => {
  installation = await Installation.create();
  gateway = await installation.open();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

interface Provisioned {
  readonly id: number;
  readonly url: string;
}

async function provision(): Promise<Provisioned> {
  const { body } = await gateway.operator().provision();
  return { id: body.id, url: `http://${body.host}:${body.port}` };
}

/** As the schedule would, but now. */
const pass = () => gateway.get(MonitorPass).run(new AbortController().signal, Promise.resolve());
const view = async (id: number) => (await gateway.operator().get(`/orchestrator/slices/${id}`)).body;

/** The process that answers, well or not. */
const pidAt = async (url: string) => ((await getJson(`${url}/pid`)) as { pid: number }).pid;

/** How often the reconcile loop has looked at the world from now on. */
function countLooks(): () => number {
  const runtime = gateway.get(SliceRuntime);
  const list = runtime.list.bind(runtime);
  let looks = 0;
  runtime.list = () => {
    looks += 1;
    return list();
  };
  return () => looks;
}

async function entity(id: number) {
  const slices = await gateway.get(SliceSupervision).all();
  const slice = slices.find((each) => each.id === id);
  if (slice === undefined) throw new Error(`no slice ${id}`);
  return slice;
}

describe('a slice whose app runs and is not well', () => {
  it('is restarted by the reconciler after three checks, and is well again', async () => {
    const { id, url } = await provision();
    const before = await pidAt(url);
    await getJson(`${url}/fall-ill`);
    for (let i = 0; i < 3; i += 1) await pass();
    await eventually(async () => {
      expect(await pidAt(url)).not.toBe(before);
      expect(await view(id)).toMatchObject({ status: 'active' });
    }, 20_000);
    await pass();
    expect(await installation.query('SELECT restarts, failures FROM slice_watch')).toEqual([
      { restarts: 1, failures: 0 },
    ]);
  }, 40_000);

  it('that was given up the reconciler leaves alone; it is active when a check is good', async () => {
    const { id, url } = await provision();
    const before = await pidAt(url);
    const looks = countLooks();
    expect(await gateway.get(SliceSupervision).giveUp(await entity(id), 'It is no good.')).toBe(true);
    // What the reconcile loop would do about it, it has begun and ended by its next look but one.
    await eventually(async () => expect(looks()).toBeGreaterThan(2), 20_000);
    expect(await view(id)).toMatchObject({ status: 'failed', error: 'It is no good.' });
    expect(await pidAt(url)).toBe(before);
    await pass();
    const healed = await view(id);
    expect(healed).toMatchObject({ status: 'active' });
    expect(healed.error).toBeUndefined();
  }, 40_000);

  it('that was stopped is left alone, whatever was decided before', async () => {
    const { id } = await provision();
    const seen = await entity(id);
    await gateway.operator().post(`/orchestrator/slices/${id}/stop`);
    const supervision = gateway.get(SliceSupervision);
    expect(await supervision.restart(seen)).toBeNull();
    expect(await supervision.giveUp(seen, 'It is no good.')).toBe(false);
    expect(await supervision.restart(await entity(id))).toBeNull();
    for (let i = 0; i < 4; i += 1) await pass();
    expect(await view(id)).toMatchObject({ status: 'stopped' });
  }, 40_000);
});

describe('a pass over real slices', () => {
  it('knows what they use, of the runtime and of PostgreSQL', async () => {
    const { id } = await provision();
    await pass();
    const [sample] = await installation.query<Record<string, string>>(
      `SELECT healthy, state, memory_bytes::int AS memory, database_bytes::int AS database, connections
         FROM slice_sample WHERE slice_id = $1 ORDER BY at DESC LIMIT 1`,
      [id],
    );
    expect(sample).toMatchObject({ healthy: true, state: 'running', connections: 0 });
    expect(Number(sample?.['memory'])).toBeGreaterThan(10e6);
    expect(Number(sample?.['database'])).toBeGreaterThan(5e6);
  }, 40_000);
});
