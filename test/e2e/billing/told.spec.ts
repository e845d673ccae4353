import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

describe('what is kept of a subscription', () => {
  it('is in the copy of one’s data that a customer can have, with what was done about it', async () => {
    await world.subscriber();
    const { browser, email, subscription } = await world.subscriber();
    const { status, body } = await browser.get('/account/export');
    expect(status).toBe(200);
    expect(body.billing).toMatchObject({
      customerId: subscription.customer,
      customerEmail: email,
      subscriptionId: subscription.id,
      status: 'active',
      statusSince: expect.any(String),
      priceId: expect.any(String),
      currentPeriodEnd: expect.any(String),
      cancelAtPeriodEnd: false,
      endedAt: null,
      steps: [
        { step: 'status_changed', at: expect.any(String), detail: expect.any(Object) },
        { step: 'customer_created', at: expect.any(String), detail: expect.any(Object) },
      ],
    });
  });

  it('is seen by the operator beside each account, and is null where there is none', async () => {
    const subscriber = await world.subscriber();
    const other = await world.customer();
    const operator = world.gateway.operator();
    const { body } = await operator.get('/admin/users?pageSize=200');
    const of = (id: string) => body.users.find((user: { id: string }) => user.id === id).subscription;
    const { body: own } = await subscriber.browser.get('/billing/status');
    expect(of(subscriber.userId)).toEqual({
      status: 'active',
      entitled: true,
      priceId: own.priceId,
      currentPeriodEnd: own.currentPeriodEnd,
      cancelAtPeriodEnd: false,
      trialEnd: null,
    });
    expect(of(other.userId)).toBeNull();
    const changed = await operator.send('PATCH', `/admin/users/${subscriber.userId}`, {
      body: { disabled: true },
    });
    expect(changed.body).toMatchObject({ disabled: true, subscription: { status: 'active' } });
  });
});
