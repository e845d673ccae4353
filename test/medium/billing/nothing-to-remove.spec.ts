import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Sweep } from '../../../libs/billing/src/loop/sweep.js';
import { assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { MailServer } from '../../support/mail-server.js';

/* Customers whose end leaves nothing to remove: none is told that there was, or is owed what they did not have. */

const PASS_MS = 15_000;

let mails: MailServer;
let world: BillingWorld;

beforeAll(async () => {
  mails = await MailServer.start();
  world = await BillingWorld.start(assignedSlices({ SMTP_URL: mails.url }));
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});

type Subscriber = Awaited<ReturnType<BillingWorld['subscriber']>>;

async function accountOf({ userId }: Subscriber) {
  const [account] = await world.query<{ removed: Date | null; next: Date | null }>(
    'SELECT slice_removed_at AS removed, next_step_at AS next FROM billing_account WHERE user_id = $1',
    [userId],
  );
  return account;
}

async function textsTo({ email }: Subscriber): Promise<string> {
  await world.allMailsAreSent();
  return mails.received
    .filter(({ to }) => to.includes(email))
    .map(({ headers, text }) => `${headers.get('subject')}\n${text}`)
    .join('\n');
}

/** All the time passes after which a slice is removed, and somebody whose slice that is is told, and loses it. */
async function passRetention(...others: Subscriber[]): Promise<Subscriber> {
  const witness = await world.subscriber();
  for (const { subscription } of [witness, ...others]) {
    world.stripe.change(subscription, { cancelAtPeriodEnd: true });
    world.stripe.cancel(subscription);
  }
  await world.deliverAll();
  for (const [days, step] of [
    [25, 'notice_of_removal'],
    [10, 'slice_removed'],
  ] as const) {
    world.clock.advanceDays(days);
    await eventually(async () => expect(await world.trail(witness.userId)).toContain(step), PASS_MS);
    for (const { subscription } of others)
      await world.deliver(world.stripe.emit('invoice.paid', world.stripe.addInvoice(subscription, 'paid')));
  }
  return witness;
}

describe('a slice that is on its way out', () => {
  it('is no reason to ask Stripe, although billing had stopped it', async () => {
    const { userId } = await world.subscriber();
    await world.query(
      `UPDATE slice SET desired_state = 'absent', stopped_by = 'billing' WHERE owner_id = $1`,
      [userId],
    );
    await world.gateway.get(Sweep).run(AbortSignal.timeout(PASS_MS));
    world.stripe.requests.length = 0;
    await world.gateway.get(Sweep).run(AbortSignal.timeout(PASS_MS));
    expect(world.stripe.requests).toEqual([]);
  });
});

describe('the end of a subscription', () => {
  it('of somebody without a slice removes nothing, tells of nothing removed, and owes no slice', async () => {
    const customer = await world.subscriber(null);
    await passRetention(customer);
    expect(await accountOf(customer)).toEqual({ removed: null, next: null });
    expect(await textsTo(customer)).not.toMatch(/removed/);
    world.stripe.subscribe(customer.subscription.customer);
    await world.deliverAll();
    expect(await accountOf(customer)).toEqual({ removed: null, next: null });
    expect(await world.sliceOf(customer.userId)).toBeUndefined();
  }, 60_000);

  it('closes an instance that was registered as it ran, and leaves it where it is', async () => {
    const customer = await world.subscriber();
    await world.query(`UPDATE slice SET runtime = 'external' WHERE owner_id = $1`, [customer.userId]);
    await passRetention(customer);
    expect(await world.sliceOf(customer.userId)).toMatchObject({ desired: 'stopped', stoppedBy: 'billing' });
    expect(await accountOf(customer)).toMatchObject({ removed: null });
    expect(await textsTo(customer)).not.toMatch(/removed/);
    world.stripe.subscribe(customer.subscription.customer);
    await world.deliverAll();
    expect(await world.sliceOf(customer.userId)).toMatchObject({ desired: 'running', stoppedBy: null });
  }, 60_000);
});

describe('whoever pays again when there is no slice to be had', () => {
  it('is looked after ever more seldom, and has one as soon as there is one', async () => {
    const customer = await passRetention();
    await world.query('UPDATE slice SET destroyed_at = now() WHERE owner_id = $1', [customer.userId]);
    world.stripe.subscribe(customer.subscription.customer);
    await world.deliverAll();
    const waitMs = async () => ((await accountOf(customer))?.next?.getTime() ?? 0) - world.clock.nowMs();
    await eventually(async () => expect(await waitMs()).toBeGreaterThan(50_000), PASS_MS);
    expect(await waitMs()).toBeLessThanOrEqual(60_000);
    world.clock.advanceDays(1);
    await eventually(async () => expect(await waitMs()).toBeGreaterThan(3_500_000), PASS_MS);
    expect(await waitMs()).toBeLessThanOrEqual(3_600_000);
    await world.assign(customer.userId, { port: 1 });
    world.clock.advanceDays(0.1);
    await eventually(
      async () => expect(await accountOf(customer)).toEqual({ removed: null, next: null }),
      PASS_MS,
    );
  }, 60_000);
});
