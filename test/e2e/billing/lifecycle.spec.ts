import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BillingWorld } from '../../support/billing-world.js';
import type { Browser } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { PASSWORD } from '../../support/gateway.js';
import { MailServer } from '../../support/mail-server.js';
import { lookAtSlices, processSlices } from '../../support/slice-world.js';

/* Real slices of the notes app, with their processes and databases, on a clock that days pass on. */

let mails: MailServer;
let world: BillingWorld;

beforeAll(async () => {
  mails = await MailServer.start();
  world = await BillingWorld.start({ env: { SMTP_URL: mails.url } });
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});

interface Subscriber {
  readonly browser: Browser;
  readonly email: string;
  readonly userId: string;
  readonly sliceId: number;
  readonly subscription: Awaited<ReturnType<BillingWorld['subscribe']>>;
}

/** A customer who has paid, whose slice runs and holds a note. */
async function subscriber(name: string): Promise<Subscriber> {
  const email = `${name}@example.com`;
  const browser = await world.gateway.customer(email);
  const subscription = await world.subscribe(browser);
  expect((await browser.post('/api/notes', { title: `of ${name}` })).status).toBe(201);
  const { user, slice } = (await browser.get('/auth/me')).body;
  return { browser, email, userId: user.id, sliceId: slice.id, subscription };
}

/** The slices that really run. */
async function running(): Promise<readonly number[]> {
  return (await processSlices(world.gateway.dataDir)).instances;
}

async function notes(browser: Browser): Promise<string[]> {
  const { status, body } = await browser.get('/api/notes');
  expect(status).toBe(200);
  return (Array.isArray(body) ? body : body.notes).map(({ title }: { title: string }) => title);
}

/** Passing days end sessions as well. */
async function days(count: number, { browser, email }: Subscriber): Promise<void> {
  world.clock.advanceDays(count);
  browser.cookie = '';
  expect((await browser.login(email, PASSWORD)).status).toBe(200);
}

function subjectsTo(email: string): string[] {
  return mails.received
    .filter(({ to }) => to.includes(email))
    .map(({ headers }) => headers.get('subject') ?? '');
}

describe('a payment that fails', () => {
  it('past due, grace, stopped, paid, running again with all that was there', async () => {
    const customer = await subscriber('ada');
    const { browser, email, sliceId, subscription, userId } = customer;

    world.stripe.failPayment(subscription);
    await world.deliverAll();
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'past_due', entitled: true });
    expect(await notes(browser)).toEqual(['of ada']);
    const failed = await mails.mailTo(email, 2); // the first asks to verify the address
    expect(failed.headers.get('subject')).toBe('Your payment did not go through');
    expect(failed.text).toContain('https://invoice.stripe.com/i/');

    await days(5.5, customer);
    expect((await mails.mailTo(email, 3)).headers.get('subject')).toMatch(/^Your app will be stopped on /);
    expect(await notes(browser)).toEqual(['of ada']);
    expect(await running()).toContain(sliceId);

    await days(2, customer);
    // At once, by the clock: whether or not the slice has been stopped yet.
    const refused = await browser.get('/api/notes');
    expect(refused).toMatchObject({ status: 402, body: { code: 'PAYMENT_REQUIRED', route: 'proxy' } });
    expect(refused.body.message).toContain('/billing/');
    await eventually(async () => expect(await running()).not.toContain(sliceId));
    expect((await mails.mailTo(email, 4)).headers.get('subject')).toBe('Your app was stopped');
    await eventually(async () =>
      expect((await browser.get('/auth/me')).body).toMatchObject({
        slice: { id: sliceId, status: 'stopped' },
        subscription: { status: 'past_due', entitled: false },
      }),
    );

    world.stripe.pay(subscription);
    await world.deliverAll();
    await world.answers(browser, 200, '/api/notes', 20_000);
    expect(await notes(browser)).toEqual(['of ada']);
    expect(await running()).toContain(sliceId);
    await mails.mailTo(email, 5);
    expect(subjectsTo(email).at(-1)).toBe('Your app is running again');
    expect(await world.trail(userId)).toEqual([
      'customer_created',
      'status_changed',
      'status_changed',
      'payment_failed',
      'notice_of_stop',
      'slice_stopped',
      'status_changed',
      'slice_started',
    ]);
  }, 90_000);

  it('is not held against whoever has paid by now, although nobody told so', async () => {
    const customer = await subscriber('grace');
    const { browser, sliceId, subscription, userId } = customer;
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    world.stripe.pay(subscription);
    world.loseAll();
    await days(8, customer);
    await eventually(async () =>
      expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'active', entitled: true }),
    );
    await world.answers(browser, 200, '/api/notes');
    expect(await running()).toContain(sliceId);
    expect(await world.trail(userId)).not.toContain('slice_stopped');
  }, 60_000);
});

describe('the end of a subscription', () => {
  it('canceled, stopped, kept for its time, destroyed with all data; and a new one begins anew', async () => {
    const customer = await subscriber('linus');
    const { browser, email, sliceId, subscription, userId } = customer;
    world.stripe.change(subscription, { cancelAtPeriodEnd: true });
    await world.deliverAll();
    expect((await browser.get('/billing/status')).body).toMatchObject({
      status: 'active',
      cancelAtPeriodEnd: true,
      entitled: true,
    });
    expect((await mails.mailTo(email, 2)).headers.get('subject')).toMatch(/^Your subscription ends on /);

    world.stripe.cancel(subscription);
    await world.deliverAll();
    await world.answers(browser, 402, '/api/notes');
    await eventually(async () => expect(await running()).not.toContain(sliceId));

    await days(23.1, customer);
    expect((await mails.mailTo(email, 4)).headers.get('subject')).toMatch(/^Your data will be removed on /);
    await days(6, customer);
    expect((await world.sliceOf(userId))?.desired).toBe('stopped');
    const kept = await lookAtSlices(world.gateway.database, await processSlices(world.gateway.dataDir));
    expect(kept.databases).toContain(sliceId);
    expect(kept.data).toContain(sliceId);

    await days(1.5, customer);
    await eventually(async () => {
      const left = await lookAtSlices(world.gateway.database, await processSlices(world.gateway.dataDir));
      for (const part of [left.databases, left.roles, left.data, left.instances])
        expect(part).not.toContain(sliceId);
    }, 20_000);
    expect((await mails.mailTo(email, 5)).headers.get('subject')).toBe('Your data was removed');
    expect((await browser.get('/auth/me')).body.slice).toBeNull();

    await world.subscribe(browser);
    await world.answers(browser, 200, '/api/notes', 30_000);
    expect(await notes(browser)).toEqual([]);
    expect(await world.trail(userId)).toEqual([
      'customer_created',
      'status_changed',
      'notice_of_end',
      'status_changed',
      'slice_stopped',
      'notice_of_removal',
      'slice_removed',
      'status_changed',
      'slice_given',
    ]);
  }, 120_000);

  it('subscribed again in time, everything is as it was', async () => {
    const customer = await subscriber('dennis');
    const { browser, subscription, userId } = customer;
    world.stripe.cancel(subscription);
    await world.deliverAll();
    await world.answers(browser, 402, '/api/notes');
    await days(20, customer);
    await world.subscribe(browser);
    await world.answers(browser, 200, '/api/notes', 20_000);
    // A slice that is on its way up may be asked a moment too early.
    await eventually(async () => expect(await notes(browser)).toEqual(['of dennis']), 20_000);
    await days(40, customer);
    await world.answers(browser, 200, '/api/notes', 20_000);
    expect(await world.trail(userId)).not.toContain('slice_removed');
  }, 60_000);
});
