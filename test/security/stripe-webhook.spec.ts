import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, assignedSlices, type Customer } from '../support/assigned-slices.js';
import { BillingWorld } from '../support/billing-world.js';
import { Gateway } from '../support/gateway.js';
import { type StandInEvent, StripeApi } from '../support/stripe/stripe-api.js';

/* Who can forge a webhook gets the app for nothing, or takes it from others. */

let world: BillingWorld;
let customer: Customer & { subscription: { id: string } };
/** A true event, which has not been delivered: the end of the customer's subscription. */
let event: StandInEvent;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
  await undelivered();
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => {
  world.stripe.requests.length = 0;
});

/** A subscriber whose end is still to be told. */
async function undelivered(): Promise<void> {
  const subscriber = await world.subscriber();
  customer = subscriber;
  world.stripe.cancel(subscriber.subscription);
  event = world.stripe.events.at(-1) as StandInEvent;
  world.loseAll();
}

interface Sent {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signature?: string | null;
  readonly headers?: Record<string, string>;
}

async function send({ body = event.payload, signature, headers = {} }: Sent) {
  const signed = signature === undefined ? world.stripe.sign(event.payload) : signature;
  const response = await fetch(`${world.gateway.url}/billing/webhook`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signed === null ? {} : { 'stripe-signature': signed }),
      ...headers,
    },
    body,
  });
  return { status: response.status, body: await response.json() };
}

async function expectNothingChanged(): Promise<void> {
  expect(await world.query('SELECT FROM billing_event WHERE id = $1', [event.id])).toEqual([]);
  expect((await customer.browser.get('/billing/status')).body.status).toBe('active');
  expect((await world.sliceOf(customer.userId))?.desired).toBe('running');
  expect(world.stripe.requests).toEqual([]);
}

function reserialised(): string {
  return JSON.stringify(JSON.parse(event.payload));
}

function sign(...given: Parameters<StripeApi['sign']>): string {
  return world.stripe.sign(...given);
}

describe('a webhook', () => {
  it.each<[string, number, () => Sent]>([
    ['without a signature', 400, () => ({ signature: null })],
    ['with an empty one', 400, () => ({ signature: '' })],
    ['with nonsense for one', 400, () => ({ signature: 't=now,v1=yes' })],
    [
      'signed with another secret',
      400,
      () => ({ signature: sign(event.payload, { secret: 'whsec_other' }) }),
    ],
    ['signed with an empty secret', 400, () => ({ signature: emptySecret(event.payload) })],
    // Whole seconds are signed: one more, so that none of them is rounded away.
    ['over 300 seconds old', 400, () => ({ signature: sign(event.payload, { atMs: Date.now() - 302_000 }) })],
    ['signed for another body', 400, () => ({ signature: sign('{}') })],
    ['whose body was read and written again', 400, () => ({ body: reserialised() })],
    ['with one byte more', 400, () => ({ body: `${event.payload}\n` })],
    [
      'with a signature of scheme v0 alone',
      400,
      () => ({ signature: sign(event.payload).replace('v1=', 'v0=') }),
    ],
    ['as text', 415, () => ({ headers: { 'content-type': 'text/plain' } })],
    ['as a form', 415, () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } })],
    [
      'packed by gzip, signed before',
      415,
      () => ({ body: new Uint8Array(gzipSync(event.payload)), headers: { 'content-encoding': 'gzip' } }),
    ],
    [
      'packed by gzip, signed after',
      415,
      () => {
        const body = new Uint8Array(gzipSync(event.payload));
        return {
          body,
          signature: sign(Buffer.from(body).toString()),
          headers: { 'content-encoding': 'gzip' },
        };
      },
    ],
    [
      'of 5 MB',
      413,
      () => {
        const body = JSON.stringify({ ...JSON.parse(event.payload), filling: 'x'.repeat(5_000_000) });
        return { body, signature: sign(body) };
      },
    ],
    ['without a body', 400, () => ({ body: '', signature: sign('') })],
    ['of broken JSON', 400, () => ({ body: '{"id": "evt_1"', signature: sign('{"id": "evt_1"') })],
    ['of JSON that is no event', 400, () => ({ body: '{"id": 1}', signature: sign('{"id": 1}') })],
  ])('%s is refused with %i, and changes nothing', async (_how, status, how) => {
    const answer = await send(how());
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, code: expect.stringMatching(/^[A-Z_]+$/) });
    await expectNothingChanged();
  });

  it('with the right signature over the very bytes is taken', async () => {
    expect(await send({})).toEqual({ status: 200, body: { received: true } });
    expect((await customer.browser.get('/billing/status')).body.status).toBe('canceled');
  });

  it('five minutes old is still taken', async () => {
    await undelivered();
    const { payload } = event;
    expect(
      await send({ signature: world.stripe.sign(payload, { atMs: Date.now() - 298_000 }) }),
    ).toMatchObject({
      status: 200,
    });
  });

  it('that is repeated changes nothing any more, and asks Stripe for nothing', async () => {
    await send({});
    world.stripe.requests.length = 0;
    const before = await world.steps(customer.userId);
    expect(await send({})).toEqual({ status: 200, body: { received: true } });
    expect(await world.steps(customer.userId)).toEqual(before);
    expect(world.stripe.requests).toEqual([]);
  });

  it('that claims another customer by what a payer can write links nothing', async () => {
    const victim = await world.customer();
    const stranger = world.stripe.addCustomer(null);
    const forged = world.stripe.emit('checkout.session.completed', {
      id: 'cs_of_a_payment_link',
      object: 'checkout.session',
      customer: stranger.id,
      client_reference_id: victim.userId,
    });
    expect(await world.deliver(forged)).toBe(200);
    expect(await world.query('SELECT FROM billing_account WHERE user_id = $1', [victim.userId])).toEqual([]);
  });
});

describe('without all of its secrets', () => {
  it.each([
    ['STRIPE_SECRET_KEY', { STRIPE_SECRET_KEY: '' }],
    ['STRIPE_WEBHOOK_SECRET', { STRIPE_WEBHOOK_SECRET: '' }],
  ])('%s, billing is off and no webhook counts', async (_what, missing) => {
    await using gateway = await Gateway.start(assignedSlices({ ...world.stripe.env, ...missing }));
    const response = await fetch(`${gateway.url}/billing/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': emptySecret(event.payload) },
      body: event.payload,
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'BILLING_DISABLED' });
  });
});

/** The SDK's helper makes none with an empty secret: by hand, as an attacker would. */
function emptySecret(payload: string): string {
  const timestamp = Math.floor(Date.now() / 1000);
  const mac = createHmac('sha256', '').update(`${timestamp}.${payload}`).digest('hex');
  return `t=${timestamp},v1=${mac}`;
}
