import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { terminateControl } from '../../support/control.js';
import { Gateway } from '../../support/gateway.js';
import type { StandInEvent } from '../../support/stripe/stripe-api.js';

let world: BillingWorld;
let other: Gateway;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
  other = await Gateway.start({
    ...ASSIGNED_SLICES,
    database: world.gateway.database,
    dataDir: world.gateway.dataDir,
    env: { ...ASSIGNED_SLICES.env, ...world.stripe.env },
  });
}, 30_000);

afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

afterEach(() => {
  world.stripe.gate = () => undefined;
});

/** Holds the next answer that lists subscriptions back, after it was worked out: what it tells grows old. */
function holdNextReading() {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let held = false;
  world.stripe.gate = (request, moment) => {
    if (held || moment !== 'after' || request !== 'GET /v1/subscriptions') return undefined;
    held = true;
    reached.resolve();
    return released.promise;
  };
  return { reached: reached.promise, release: () => released.resolve() };
}

const last = (): StandInEvent => world.stripe.events.at(-1) as StandInEvent;

describe('what was read of a subscription', () => {
  it('does not take the place of what was read later, by the same gateway or another', async () => {
    const { browser, subscription, userId } = await world.subscriber();
    for (const gateway of [world.gateway, other]) {
      world.stripe.change(subscription, { status: 'active' });
      const first = last();
      const reading = holdNextReading();
      const slow = world.deliver(first);
      await reading.reached;
      world.stripe.change(subscription, { status: 'unpaid' });
      const second = world.stripe.deliver(gateway.url, last());
      // Time enough for it to be read and kept before the first, were it not for the lock.
      for (let i = 0; i < 50; i += 1) await browser.get('/auth/me');
      reading.release();
      expect([await slow, await second]).toEqual([200, 200]);
      expect((await browser.get('/billing/status')).body.status).toBe('unpaid');
      expect((await world.sliceOf(userId))?.desired).toBe('stopped');
    }
  });

  it('is not kept by a gateway that lost its lock meanwhile', async () => {
    const { browser, subscription } = await world.subscriber();
    world.stripe.change(subscription, { status: 'active' });
    const first = last();
    const reading = holdNextReading();
    const slow = world.deliver(first);
    await reading.reached;
    // All control connections, and with them all locks: the other gateway gets on.
    await terminateControl(world.gateway.database);
    world.stripe.change(subscription, { status: 'unpaid' });
    const second = last();
    await world.answers(browser, 200, '/auth/me');
    for (let status = 0; status !== 200;) status = await world.stripe.deliver(other.url, second);
    reading.release();
    expect(await slow).toBe(503);
    expect((await browser.get('/billing/status')).body.status).toBe('unpaid');
    expect(await world.deliver(first)).toBe(200);
    expect((await browser.get('/billing/status')).body.status).toBe('unpaid');
  });

  it('of one event, delivered to both at once, takes effect once', async () => {
    const { subscription, userId } = await world.subscriber();
    world.stripe.failPayment(subscription);
    world.stripe.cancel(subscription);
    const event = last();
    const statuses = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        world.stripe.deliver(i % 2 === 0 ? world.gateway.url : other.url, event),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await world.trail(userId)).filter((step) => step === 'slice_stopped')).toHaveLength(1);
  });

  it('counts as that of the best subscription, whichever event came last', async () => {
    const { browser, subscription } = await world.subscriber();
    world.stripe.cancel(subscription);
    const ofTheOld = last();
    world.loseAll();
    const again = world.stripe.subscribe(subscription.customer);
    await world.deliverAll();
    expect(await world.deliver(ofTheOld)).toBe(200);
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'active', entitled: true });
    world.stripe.change(again, { status: 'a_status_of_tomorrow' });
    expect(await world.deliver(last())).toBe(502);
    expect((await browser.get('/billing/status')).body.status).toBe('active');
  });
});

describe('an event', () => {
  it('that cannot take effect leaves nothing of itself, and does when it comes again', async () => {
    const { browser, subscription } = await world.subscriber();
    world.stripe.cancel(subscription);
    const event = last();
    await world.query('ALTER TABLE outgoing_mail RENAME TO outgoing_mail_away');
    expect(await world.deliver(event)).toBeGreaterThanOrEqual(500);
    await world.query('ALTER TABLE outgoing_mail_away RENAME TO outgoing_mail');
    expect(await world.query('SELECT FROM billing_event WHERE id = $1', [event.id])).toEqual([]);
    expect((await browser.get('/billing/status')).body.status).toBe('active');
    expect(await world.deliver(event)).toBe(200);
    expect((await browser.get('/billing/status')).body.status).toBe('canceled');
  });

  it('of a kind that nothing follows from is kept and answered with 200', async () => {
    const event = world.stripe.emit('product.created', { id: 'prod_1', object: 'product' });
    expect(await world.deliver(event)).toBe(200);
    expect(await world.query('SELECT type, object_id FROM billing_event WHERE id = $1', [event.id])).toEqual([
      { type: 'product.created', object_id: 'prod_1' },
    ]);
  });

  it('of a customer that is only known by what was written at its making finds the user', async () => {
    const { browser, userId } = await world.customer();
    const { id } = world.stripe.addCustomer(userId);
    world.stripe.subscribe(id);
    expect(new Set(await world.deliverAll())).toEqual(new Set([200]));
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'active' });
  });

  it('of somebody who is nobody here is kept, whoever they are', async () => {
    for (const userId of [null, crypto.randomUUID(), 'no uuid'])
      world.stripe.subscribe(world.stripe.addCustomer(userId).id);
    expect(new Set(await world.deliverAll())).toEqual(new Set([200]));
  });
});
