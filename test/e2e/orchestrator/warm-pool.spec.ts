import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { type Gateway, PASSWORD } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

let installation: Installation;
let gateway: Gateway;

async function start(env: NodeJS.ProcessEnv): Promise<void> {
  installation = await Installation.create(env);
  gateway = await installation.open();
}

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

/** Waits until there are so many slices, ready, and nobody's. */
async function ready(count: number): Promise<number[]> {
  return eventually(async () => {
    const rows = await installation.query<{ id: number }>(
      `SELECT id FROM slice WHERE owner_id IS NULL AND status = 'active' AND destroyed_at IS NULL ORDER BY id`,
    );
    expect(rows).toHaveLength(count);
    return rows.map(({ id }) => id);
  });
}

function signUp() {
  return gateway.browser().register(`${crypto.randomUUID()}@example.com`, PASSWORD);
}

describe('the warm pool', () => {
  it('gives sign-ups at the same moment a ready slice each, and is topped up', async () => {
    await start({ SLICE_POOL_SIZE: '2' });
    const pool = await ready(2);
    const answers = await Promise.all([signUp(), signUp()]);
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(body).toMatchObject({ sliceAssigned: true, slice: { status: 'active' } });
      expect(Object.keys(body.slice).toSorted()).toEqual(['id', 'name', 'status']);
    }
    expect(new Set(answers.map(({ body }) => body.slice.id))).toEqual(new Set(pool));
    await ready(2);
    expect(await installation.settled()).toHaveLength(4);
  });

  it('does not make ever more slices of an app that does not start', async () => {
    await start({ SLICE_POOL_SIZE: '2', SLICE_ENV: '{"CRASH":"always"}' });
    await eventually(async () => {
      const { body } = await gateway.operator().get('/orchestrator/status');
      expect(body.slices).toMatchObject({ total: 2, failed: 2 });
    });
    // A new wish wakes the loop: its next look is over when it has been brought about.
    const [{ id }] = (await gateway.operator().get('/orchestrator/slices')).body;
    await gateway.operator().post(`/orchestrator/slices/${id}/restart`);
    expect((await gateway.operator().get('/orchestrator/slices')).body).toHaveLength(2);
  });

  it('is topped up to what the ports allow, and no sign-up fails for it', async () => {
    const port = await freePort();
    await start({ SLICE_POOL_SIZE: '3', SLICE_PORT_RANGE: `${port}-${port}` });
    await ready(1);
    expect((await signUp()).body).toMatchObject({ sliceAssigned: true });
    const { status, body } = await signUp();
    expect(status).toBe(201);
    expect(body).toMatchObject({ sliceAssigned: false, slice: null });
  });
});

describe('a sign-up when no slice is ready', () => {
  it('has one made in the background', async () => {
    await start({ SLICE_POOL_SIZE: '0' });
    const { status, body } = await signUp();
    expect(status).toBe(201);
    expect(body).toMatchObject({ sliceAssigned: false, slice: { status: 'provisioning' } });
    const slices = await installation.settled();
    expect(slices).toEqual([body.slice.id]);
    expect(await installation.look()).toEqual(worldOf(slices));
  });

  it('makes none where SLICE_AUTO_PROVISION is off', async () => {
    await start({ SLICE_POOL_SIZE: '0', SLICE_AUTO_PROVISION: 'false' });
    expect((await signUp()).body).toMatchObject({ sliceAssigned: false, slice: null });
    expect(await installation.look()).toEqual(worldOf([]));
  });
});
