import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { PRICE } from '../../support/stripe/stripe-api.js';

/* Nobody loses a slice, or its data, for what is not theirs: an outage, a wrong key, an invoice of long ago. */

const PASS_MS = 15_000;

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

const stepsOf = (userId: string, step: string) =>
  world.trail(userId).then((trail) => trail.filter((each) => each === step).length);

describe('the data of a subscription that has ended', () => {
  it('goes no sooner than a week after its owner was told, however late that was', async () => {
    const { subscription, userId } = await world.subscriber();
    world.stripe.cancel(subscription);
    await world.deliverAll();
    // As if the gateway, or Stripe, had been away all the while.
    world.clock.advanceDays(45);
    await eventually(async () => expect(await stepsOf(userId, 'notice_of_removal')).toBe(1), PASS_MS);
    world.clock.advanceDays(6.9);
    await world.deliver(world.stripe.emit('invoice.paid', world.stripe.addInvoice(subscription, 'paid')));
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped' });
    world.clock.advanceDays(0.2);
    await eventually(async () => expect((await world.sliceOf(userId))?.desired).toBe('absent'), PASS_MS);
    expect(await stepsOf(userId, 'notice_of_removal')).toBe(1);
  }, 60_000);
});

describe('a payment that is missing', () => {
  it('is forgiven for all of its time, whatever was not paid long ago', async () => {
    const { subscription, userId } = await world.subscriber();
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    // The next one is paid, and the first stays open for ever.
    world.stripe.addInvoice(subscription, 'paid');
    world.stripe.change(subscription, { status: 'active' });
    await world.deliverAll();
    world.clock.advanceDays(60);
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'running' });
    expect(await stepsOf(userId, 'payment_failed')).toBe(2);
  });
});

describe('a customer whom Stripe does not know', () => {
  it('keeps what they have, and keeps nobody else waiting', async () => {
    const unknown = await world.subscriber();
    const late = await world.subscriber();
    for (const { subscription } of [unknown, late]) world.stripe.failPayment(subscription);
    await world.deliverAll();
    // As with the key of another account, or of the test mode.
    world.stripe.customers.delete(unknown.subscription.customer);
    world.clock.advanceDays(8);
    await eventually(
      async () => expect(await world.sliceOf(late.userId)).toMatchObject({ desired: 'stopped' }),
      PASS_MS,
    );
    expect(await world.sliceOf(unknown.userId)).toMatchObject({ desired: 'running' });
    const account = await world.query('SELECT status, customer_id FROM billing_account WHERE user_id = $1', [
      unknown.userId,
    ]);
    expect(account).toEqual([{ status: 'past_due', customer_id: unknown.subscription.customer }]);
    expect((await world.steps(late.userId)).at(-1)).toMatchObject({ step: 'slice_stopped', cause: 'time' });
  }, 60_000);
});

describe('a customer whose subscription is not as it should be', () => {
  it('keeps what they have, and keeps nobody else waiting', async () => {
    const odd = await world.subscriber();
    const late = await world.subscriber();
    for (const { subscription } of [odd, late]) world.stripe.failPayment(subscription);
    await world.deliverAll();
    odd.subscription.price = null;
    world.clock.advanceDays(8);
    await eventually(
      async () => expect(await world.sliceOf(late.userId)).toMatchObject({ desired: 'stopped' }),
      PASS_MS,
    );
    expect(await world.sliceOf(odd.userId)).toMatchObject({ desired: 'running' });
    const event = world.stripe.emit('invoice.paid', world.stripe.addInvoice(odd.subscription, 'paid'));
    expect(await world.deliver(event)).toBe(502);
    odd.subscription.price = PRICE;
    expect(await world.deliver(event)).toBe(200);
  }, 60_000);
});
