import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { createTestDatabase } from '../../support/postgres.js';
import { ShiftedClock } from '../../support/shifted-clock.js';
import { StripeApi } from '../../support/stripe/stripe-api.js';

async function desired(gateway: Gateway): Promise<string> {
  const [row] = await gateway
    .get(DataSource)
    .query<[{ readonly desired_state: string }]>(
      'SELECT desired_state FROM slice WHERE owner_id IS NOT NULL',
    );
  return row.desired_state;
}

function becomes(gateway: Gateway, state: string): Promise<void> {
  return eventually(async () => expect(await desired(gateway)).toBe(state), 15_000);
}

const { override: withoutReconciler = (builder) => builder } = ASSIGNED_SLICES;

it('a slice that ran while billing was off is stopped when it is on again, and keeps its data for its time', async () => {
  const clock = new ShiftedClock();
  await using stripe = await StripeApi.start(() => clock.nowMs());
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-switched-off-'));
  const start = (env: NodeJS.ProcessEnv): Promise<Gateway> =>
    Gateway.start({
      ...ASSIGNED_SLICES,
      database,
      dataDir,
      env: { ...ASSIGNED_SLICES.env, SECRET_KEY: 'the secret key of all gateways of this test', ...env },
      override: (builder) => withoutReconciler(builder).overrideProvider(Clock).useValue(clock),
    });
  try {
    {
      await using gateway = await start(stripe.env);
      const { browser } = await customerWith(gateway, { port: 1 });
      const { body } = await browser.post('/billing/create-checkout');
      const subscription = stripe.completeCheckout(body.url);
      stripe.cancel(subscription);
      for (const event of stripe.events) await stripe.deliver(gateway.url, event);
      await becomes(gateway, 'stopped');
    }
    {
      await using gateway = await start({});
      await becomes(gateway, 'running');
      clock.advanceDays(60);
    }
    await using gateway = await start(stripe.env);
    const told = (): Promise<object[]> =>
      gateway.get(DataSource).query(`SELECT FROM billing_step WHERE step = 'notice_of_removal'`);
    await becomes(gateway, 'stopped');
    expect(await told()).toEqual([]);
    clock.advanceDays(29);
    await eventually(async () => expect(await told()).toHaveLength(1), 15_000);
    expect(await desired(gateway)).toBe('stopped');
  } finally {
    await database.drop();
    await rm(dataDir, { recursive: true });
  }
}, 90_000);
