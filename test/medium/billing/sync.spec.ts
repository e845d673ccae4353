import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, type Customer } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { BillingJournal, BillingSync } from '#billing';
import { ControlConnection, Transactions } from '#database';
import { RecordingLogger } from '../../support/recording-logger.js';
import type { StandInSubscription } from '../../support/stripe/stripe-api.js';

type Subscriber = Customer & { readonly subscription: StandInSubscription };

const logger = new RecordingLogger();
const { override: withoutReconciler = (builder) => builder } = ASSIGNED_SLICES;

let world: BillingWorld;
let sync: BillingSync;

beforeAll(async () => {
  world = await BillingWorld.start({
    ...ASSIGNED_SLICES,
    override: (builder) => withoutReconciler(builder).setLogger(logger),
  });
  sync = world.gateway.get(BillingSync);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => {
  world.stripe.gate = () => undefined;
  world.stripe.requests.length = 0;
});

async function statusOf({ browser }: Customer): Promise<string> {
  return (await browser.get('/billing/status')).body.status;
}

/** More subscriptions than a page holds, of customers that are none of ours. */
function strangers(count: number): void {
  for (let i = 0; i < count; i += 1) world.stripe.subscribe(world.stripe.addCustomer(null).id);
  world.loseAll();
}

/** Whether a line of the log speaks of it. */
const logged = (cause: string): boolean => logger.lines.some((line) => line.includes(cause));

const pages = (): number =>
  world.stripe.requests.filter((request) => request === 'GET /v1/subscriptions').length;

describe('the comparison with Stripe', () => {
  it('makes good what was never told, and reads anew only what differs', async () => {
    const canceled = await world.subscriber();
    const failed = await world.subscriber();
    const steady = await world.subscriber();
    const unheard = await world.customer();
    const { body } = await unheard.browser.post('/billing/create-checkout');
    world.stripe.cancel(canceled.subscription);
    world.stripe.failPayment(failed.subscription);
    world.stripe.completeCheckout(body.url);
    world.loseAll();
    world.stripe.requests.length = 0;

    expect(await sync.runNow()).toMatchObject({ repaired: 3 });
    expect(await Promise.all([canceled, failed, steady, unheard].map(statusOf))).toEqual([
      'canceled',
      'past_due',
      'active',
      'active',
    ]);
    expect((await world.sliceOf(canceled.userId))?.desired).toBe('stopped');
    expect((await world.steps(canceled.userId)).map(({ cause }) => cause)).toContain('sync');
    expect(await sync.runNow()).toMatchObject({ repaired: 0 });
  });

  it('skips one that it can make nothing of, says so, and makes good the rest', async () => {
    const before: Subscriber = await world.subscriber();
    const odd: Subscriber = await world.subscriber();
    const after: Subscriber = await world.subscriber();
    for (const { subscription } of [before, after]) world.stripe.cancel(subscription);
    world.stripe.change(odd.subscription, { status: 'a_status_of_tomorrow' });
    world.loseAll();
    logger.lines.length = 0;

    expect(await sync.runNow()).toMatchObject({ repaired: 2, skipped: 1 });
    expect(await Promise.all([before, odd, after].map(statusOf))).toEqual(['canceled', 'active', 'canceled']);
    const told = logger.lines.filter((line) => line.includes(odd.subscription.id));
    expect(told).toEqual([expect.stringMatching(/^warn .*a_status_of_tomorrow.* is skipped/s)]);
    world.stripe.change(odd.subscription, { status: 'active' });
    world.loseAll();
    expect(await sync.runNow()).toMatchObject({ skipped: 0 });
  });

  it('skips one of which Stripe does not say whose it is, and makes good the rest', async () => {
    const rest: Subscriber = await world.subscriber();
    const { id } = world.stripe.addCustomer(rest.userId);
    world.stripe.subscribe(id, { metadata: { sluice_user: rest.userId } });
    world.stripe.cancel(rest.subscription);
    world.loseAll();
    world.stripe.forbidden.add(`GET /v1/customers/${id}`);
    expect(await sync.runNow()).toMatchObject({ repaired: 1, skipped: 1 });
    expect(await statusOf(rest)).toBe('canceled');
    world.stripe.customers.delete(id);
    world.stripe.forbidden.clear();
  });

  it('says so where another one is under way for long', async () => {
    await using lock = await world.gateway.get(ControlConnection).acquire('billing-sync');
    expect(lock.signal.aborted).toBe(false);
    await expect(sync.runNow(50)).rejects.toMatchObject({
      code: 'BILLING_BUSY',
      message: expect.stringContaining('under way'),
    });
  });

  it('goes on where it was broken off', async () => {
    const oldest: Subscriber = await world.subscriber();
    world.stripe.cancel(oldest.subscription);
    strangers(250);
    // Latest first: the customer's is on the third page.
    let answered = 0;
    world.stripe.gate = (request, moment) => {
      if (request !== 'GET /v1/subscriptions' || moment !== 'after') return;
      answered += 1;
      if (answered === 2) world.stripe.weather = 'failing';
    };
    await expect(sync.runNow()).rejects.toMatchObject({ code: 'PAYMENT_PROVIDER_UNAVAILABLE' });
    expect(await statusOf(oldest)).toBe('active');
    const [left] = await world.query<{ cursor: string; compared: number; finished: Date | null }>(
      'SELECT cursor, compared, finished_at AS finished FROM billing_sync',
    );
    expect(left).toMatchObject({ cursor: expect.stringMatching(/^sub_/), compared: 200, finished: null });

    world.stripe.gate = () => undefined;
    world.stripe.requests.length = 0;
    world.stripe.weather = 'fine';
    await sync.runNow();
    // One page, not three, and the reading of the one that differs.
    expect(pages()).toBeLessThanOrEqual(2);
    expect(await statusOf(oldest)).toBe('canceled');
  });

  it('begins anew where the place it had come to is gone', async () => {
    const customer: Subscriber = await world.subscriber();
    world.stripe.cancel(customer.subscription);
    world.loseAll();
    await world.query(`UPDATE billing_sync SET cursor = 'sub_gone', finished_at = NULL`);
    await sync.runNow();
    expect(await statusOf(customer)).toBe('canceled');
  });

  it('is had every night by one gateway, and forgets events that can not come again', async () => {
    const customer: Subscriber = await world.subscriber();
    await world.query(`UPDATE billing_event SET received_at = now() - interval '100 days' WHERE id = $1`, [
      world.stripe.events[0]?.id,
    ]);
    world.stripe.cancel(customer.subscription);
    world.loseAll();
    world.clock.advanceDays(1);
    await eventually(async () => {
      const [cancelled] = await world.query<{ status: string }>(
        'SELECT status FROM billing_account WHERE user_id = $1',
        [customer.userId],
      );
      expect(cancelled?.status).toBe('canceled');
    });
    await eventually(async () =>
      expect(
        await world.query('SELECT FROM billing_event WHERE id = $1', [world.stripe.events[0]?.id]),
      ).toEqual([]),
    );
  });
});

describe('a step of the trail', () => {
  it('is in the log once it was done, and never when it was undone', async () => {
    const { userId } = await world.customer();
    const transactions = world.gateway.get(Transactions);
    const note = (cause: string) =>
      world.gateway.get(BillingJournal).note({ userId, step: 'notice_of_end', cause });
    const undone = transactions.run(async () => {
      await note('undone');
      throw new Error('the transaction ends here');
    });
    await expect(undone).rejects.toThrow('ends here');
    expect(logged('undone')).toBe(false);
    await transactions.run(async () => {
      await note('done in the end');
      expect(logged('done in the end')).toBe(false);
    });
    expect(logged('done in the end')).toBe(true);
  });
});
