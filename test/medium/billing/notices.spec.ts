import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { MailServer, type ReceivedMail } from '../../support/mail-server.js';
import type { StandInEvent } from '../../support/stripe/stripe-api.js';

/* Events that ask for a person: who is written to, of what, and once. */

const OPERATOR = 'operator@example.com';
const CONFIRM = 'Your payment waits for your confirmation';

let mails: MailServer;
let world: BillingWorld;

beforeAll(async () => {
  mails = await MailServer.start();
  world = await BillingWorld.start(assignedSlices({ SMTP_URL: mails.url, ADMIN_EMAIL: OPERATOR }));
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});

const last = (): StandInEvent => world.stripe.events.at(-1) as StandInEvent;

async function subjectsTo(email: string): Promise<string[]> {
  await world.allMailsAreSent();
  return mails.received
    .filter(({ to }) => to.includes(email))
    .map(({ headers }) => headers.get('subject') ?? '');
}

const waiting = (): Promise<{ id: string }[]> => world.query('SELECT id FROM outgoing_mail');

/**
 * Delivers an event three times: before its mail was sent, which the mail server puts off the first time, while it waits,
 * and after that.
 * @returns the mails that came of it, with the id that stood in the outbox while it waited
 */
async function deliverThrice(event: StandInEvent): Promise<{ id: string; came: ReceivedMail[] }> {
  await world.allMailsAreSent();
  const before = mails.received.length;
  mails.refusals.push({ status: 451, message: 'please come again' });
  expect(await world.deliver(event)).toBe(200);
  await eventually(async () =>
    expect(await world.query('SELECT FROM outgoing_mail WHERE last_error IS NOT NULL')).toHaveLength(1),
  );
  expect(await world.deliver(event)).toBe(200);
  const [mail, ...more] = await waiting();
  expect(more).toEqual([]);
  world.clock.advanceDays(0.1);
  await world.query(`SELECT pg_notify('mail_queued', '')`);
  await world.allMailsAreSent();
  expect(await world.deliver(event)).toBe(200);
  await world.allMailsAreSent();
  return { id: mail?.id ?? '', came: mails.received.slice(before) };
}

describe('a dispute', () => {
  it('is noted and told the operator, once; the subscription stands', async () => {
    const { browser, subscription, userId, email } = await world.subscriber();
    const event = world.stripe.dispute(subscription.customer);
    const { object: dispute } = JSON.parse(event.payload).data;

    const { id, came } = await deliverThrice(event);
    expect(came.map(({ to }) => to)).toEqual([[OPERATOR]]);
    expect(came[0]?.headers.get('subject')).toBe(`A payment was disputed: ${dispute.id}`);
    expect(came[0]?.headers.get('message-id')).toMatch(new RegExp(`^<${id}@`));
    expect(came[0]?.text).toContain(`${email} disputes a payment`);

    const steps = (await world.steps(userId)).filter(({ step }) => step === 'dispute_opened');
    expect(steps).toEqual([
      { step: 'dispute_opened', cause: event.id, detail: { dispute: dispute.id, charge: dispute.charge } },
    ]);
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'active', entitled: true });
  });

  it('of a payment of nobody here is told the operator as well', async () => {
    const { came } = await deliverThrice(world.stripe.dispute(world.stripe.addCustomer(null).id));
    expect(came.map(({ to }) => to)).toEqual([[OPERATOR]]);
    expect(came[0]?.text).toContain('Somebody disputes a payment');
  });
});

describe('a second customer at Stripe of one user', () => {
  it('is noted and told the operator, once; what counts is the first', async () => {
    const { browser, userId, email, subscription } = await world.subscriber();
    const beside = world.stripe.addCustomer(userId);
    world.stripe.subscribe(beside.id);
    const { came } = await deliverThrice(last());
    expect(came.map(({ to }) => to)).toEqual([[OPERATOR]]);
    expect(came[0]?.headers.get('subject')).toBe(`A customer is at Stripe twice: ${email}`);
    for (const { customer } of [subscription, { customer: beside.id }])
      expect(came[0]?.text).toContain(customer);
    world.stripe.subscribe(beside.id);
    await world.deliverAll();
    expect((await world.steps(userId)).filter(({ step }) => step === 'second_customer')).toMatchObject([
      { detail: { counts: subscription.customer, beside: beside.id } },
    ]);
    world.stripe.cancel(subscription);
    await world.deliverAll();
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'canceled' });
  });
});

describe('a payment that asks for a confirmation', () => {
  it('is told the customer, once for each invoice, with where to confirm it', async () => {
    const { subscription, userId, email } = await world.subscriber();
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    const failed = await subjectsTo(email);
    const [invoice] = [...world.stripe.invoices.values()].slice(-1);
    const object = { id: invoice?.id, object: 'invoice', customer: subscription.customer };
    const hosted = `https://invoice.stripe.com/i/${invoice?.id}`;
    const event = world.stripe.emit('invoice.payment_action_required', {
      ...object,
      hosted_invoice_url: hosted,
    });

    const { id, came } = await deliverThrice(event);
    expect(came.map(({ to }) => to)).toEqual([[email]]);
    expect(came[0]?.headers.get('subject')).toBe(CONFIRM);
    expect(came[0]?.headers.get('message-id')).toMatch(new RegExp(`^<${id}@`));
    expect(came[0]?.text).toContain(hosted);

    // Asked for again, by another event of the same invoice.
    world.stripe.emit('invoice.payment_action_required', object);
    expect(await world.deliver(last())).toBe(200);
    expect(await subjectsTo(email)).toEqual([...failed, CONFIRM]);
    const told = (await world.trail(userId)).filter((step) => step === 'payment_action_required');
    expect(told).toHaveLength(1);
  });

  it('is told as well while the subscription goes on, as it does with a change in the middle of a month', async () => {
    const { browser, subscription, email } = await world.subscriber();
    world.stripe.emit('invoice.payment_action_required', world.stripe.addInvoice(subscription, 'open'));
    await world.deliverAll();
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'active' });
    expect(await subjectsTo(email)).toContain(CONFIRM);
  });

  it('is no news to whoever has confirmed it by now', async () => {
    const { subscription, userId, email } = await world.subscriber();
    world.stripe.failPayment(subscription);
    const [invoice] = [...world.stripe.invoices.values()].slice(-1);
    world.stripe.emit('invoice.payment_action_required', { ...invoice, object: 'invoice' });
    world.stripe.pay(subscription);
    await world.deliverAll();
    expect(await world.trail(userId)).not.toContain('payment_action_required');
    expect(await subjectsTo(email)).not.toContain(CONFIRM);
  });
});

describe('a payment that is missing', () => {
  it('is told once, whichever invoices are open by then', async () => {
    const { subscription, userId, email } = await world.subscriber();
    // The invoice comes to light after the status.
    world.stripe.change(subscription, { status: 'past_due' });
    await world.deliverAll();
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    const [first] = [...world.stripe.invoices.values()].slice(-1);
    world.stripe.failPayment(subscription);
    Object.assign(first ?? {}, { status: 'void' });
    await world.deliver(last());
    await world.deliverAll();
    expect((await world.trail(userId)).filter((step) => step === 'payment_failed')).toHaveLength(1);
    expect(await subjectsTo(email)).toEqual(expect.arrayContaining(['Your payment did not go through']));
    // Paid, and missing again.
    world.stripe.pay(subscription);
    await world.deliverAll();
    world.stripe.failPayment(subscription);
    await world.deliverAll();
    expect((await world.trail(userId)).filter((step) => step === 'payment_failed')).toHaveLength(2);
  });
});
