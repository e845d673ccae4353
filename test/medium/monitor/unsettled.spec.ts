import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MonitorWorld } from '../../support/monitor-world.js';

let world: MonitorWorld;
let id: number;

beforeEach(async () => {
  world = await MonitorWorld.start();
  id = await world.addSlice();
  await event('start', 'begun', '10 days');
  await event('active', 'done', '9 days');
});
afterEach(() => world[Symbol.asyncDispose]());

/** A step with the slice, so long ago. */
const event = (step: string, outcome: string, ago: string) =>
  world.query(
    `INSERT INTO slice_event (slice_id, generation, step, outcome, at) VALUES ($1, 1, $2, $3, now() - $4::interval)`,
    [id, step, outcome, ago],
  );

/** In minutes, as Prometheus is told. */
async function unsettledMinutes(): Promise<number> {
  const { body } = await world.gateway.operator().get('/metrics');
  return Math.floor(Number(/^sluice_slice_unsettled_seconds (.*)$/m.exec(body)?.[1]) / 60);
}

describe('the time that a slice has waited to be as it is wanted', () => {
  it('is none while all are', async () => {
    expect(await unsettledMinutes()).toBe(0);
  });

  it('counts from the wish where nobody has taken a step', async () => {
    await world.query(`UPDATE slice SET observed_generation = 0, updated_at = now() - interval '2 hours'`);
    expect(await unsettledMinutes()).toBe(120);
  });

  it('counts from the first step since it was settled, however often it is tried again', async () => {
    await world.query(`UPDATE slice SET status = 'provisioning', updated_at = now()`);
    await event('start', 'begun', '40 minutes');
    await event('pass', 'failed', '39 minutes');
    await event('start', 'begun', '1 minute');
    expect(await unsettledMinutes()).toBe(40);
  });

  it('is not that of a slice that has failed', async () => {
    await world.query(`UPDATE slice SET status = 'failed', observed_generation = 0`);
    expect(await unsettledMinutes()).toBe(0);
  });
});
