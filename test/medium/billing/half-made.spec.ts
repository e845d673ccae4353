import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DepartedCustomers } from '../../../libs/orchestrator/src/slices/departed-customers.js';
import { assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { PASSWORD } from '../../support/gateway.js';

/* A customer at Stripe whose making broke off, of somebody of whom nothing else is kept any more. */

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(assignedSlices({ SLICE_RETENTION_DAYS: '1' }));
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

async function clear(): Promise<void> {
  const departed = world.gateway.get(DepartedCustomers);
  Object.assign(departed, { lookedAt: 0 });
  await departed.clear();
}

describe('a user who has left', () => {
  it('is known here until a half-made customer is gone at Stripe', async () => {
    const { browser, userId } = await world.customer(null);
    await browser.post('/billing/create-checkout');
    await world.query('UPDATE billing_account SET customer_id = NULL WHERE user_id = $1', [userId]);
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    world.stripe.gate = (request, moment) => {
      if (request !== 'GET /v1/customers' || moment !== 'before') return undefined;
      reached.resolve();
      return released.promise;
    };
    expect((await browser.send('DELETE', '/account', { body: { password: PASSWORD } })).status).toBe(204);
    await reached.promise;
    world.clock.advanceDays(2);
    await clear();
    const known = () => world.query('SELECT FROM "user" WHERE id = $1', [userId]);
    expect(await known()).toHaveLength(1);

    released.resolve();
    await eventually(async () => {
      await clear();
      expect(await known()).toEqual([]);
    });
    expect([...world.stripe.customers.values()]).toMatchObject([{ deleted: true }]);
  });
});
