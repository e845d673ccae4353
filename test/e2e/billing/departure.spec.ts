import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { PASSWORD } from '../../support/gateway.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

describe('whoever deletes their account', () => {
  it('pays no longer: the customer at Stripe goes, and the subscription with it, and no mail is sent to nowhere', async () => {
    const { browser, userId, subscription } = await world.subscriber();
    const stays = await world.subscriber();
    expect((await browser.send('DELETE', '/account', { body: { password: PASSWORD } })).status).toBe(204);
    await eventually(async () => {
      expect(await world.trail(userId)).toEqual([
        'customer_created',
        'status_changed',
        'status_changed',
        'customer_deleted',
      ]);
    });
    expect(world.stripe.customers.get(subscription.customer)).toMatchObject({ deleted: true });
    expect(world.stripe.subscriptions.get(subscription.id)).toMatchObject({ status: 'canceled' });
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped' });
    // What Stripe tells of it afterwards is no news.
    expect(new Set(await world.deliverAll())).toEqual(new Set([200]));
    expect(await world.trail(userId)).toHaveLength(4);
    const mails = await world.query(
      `SELECT FROM outgoing_mail m WHERE row_to_json(m)::text LIKE '%deleted.invalid%'`,
    );
    expect(mails).toEqual([]);
    expect(world.stripe.subscriptions.get(stays.subscription.id)).toMatchObject({ status: 'active' });
  });
});
