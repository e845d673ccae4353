import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, type Customer } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { MailServer } from '../../support/mail-server.js';

/* Of all pages to pay at that a customer was ever led to, one can be paid. */

const CREATION = 'POST /v1/checkout/sessions';

let mails: MailServer;
let world: BillingWorld;
/** Offers something else: its settings have been changed, those of the other gateway not yet. */
let changed: Gateway;

beforeAll(async () => {
  mails = await MailServer.start();
  const env = { ...ASSIGNED_SLICES.env, SMTP_URL: mails.url };
  world = await BillingWorld.start({ ...ASSIGNED_SLICES, env });
  changed = await Gateway.start({
    ...ASSIGNED_SLICES,
    database: world.gateway.database,
    dataDir: world.gateway.dataDir,
    env: {
      ...env,
      ...world.stripe.env,
      SECRET_KEY: world.gateway.config.secretKey,
      APP_URL: world.gateway.url,
      BILLING_PROMOTION_CODES: 'true',
    },
  });
}, 30_000);

afterAll(async () => {
  await changed[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});

afterEach(() => {
  world.stripe.gate = () => undefined;
});

async function pageOf({ browser }: Customer): Promise<string> {
  const { status, body } = await browser.post('/billing/create-checkout');
  expect(status).toBe(200);
  return body.url;
}

/** The same customer, at the other gateway. */
function atChanged(customer: Customer): Customer {
  const browser = changed.browser();
  browser.cookie = customer.browser.cookie;
  return { ...customer, browser };
}

/** The pages of a customer that can be paid. */
async function openPages({ userId }: Customer): Promise<string[]> {
  const [account] = await world.query<{ id: string }>(
    'SELECT customer_id AS id FROM billing_account WHERE user_id = $1',
    [userId],
  );
  return [...world.stripe.sessions.values()]
    .filter(({ customer, status }) => customer === account?.id && status === 'open')
    .map(({ url }) => url);
}

describe('the page of a customer', () => {
  it('is the same one as long as it offers the same', async () => {
    const customer = await world.customer();
    const page = await pageOf(customer);
    expect(await pageOf(customer)).toBe(page);
    expect(await openPages(customer)).toEqual([page]);
  });

  it('is another one after a change of the settings, and the earlier one is closed', async () => {
    const customer = await world.customer();
    const stale = await pageOf(customer);
    const page = await pageOf(atChanged(customer));
    expect(page).not.toBe(stale);
    expect(await openPages(customer)).toEqual([page]);
    expect(await pageOf(atChanged(customer))).toBe(page);
    expect(() => world.stripe.completeCheckout(stale)).toThrow('no open checkout');
  });

  it('is the only one, although a gateway has lost its lock meanwhile', async () => {
    const customer = await world.customer();
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let isFirst = true;
    world.stripe.gate = (request, moment) => {
      if (!isFirst || request !== CREATION || moment !== 'before') return undefined;
      isFirst = false;
      reached.resolve();
      return released.promise;
    };
    const slow = pageOf(customer);
    await reached.promise;
    await terminateControl(world.gateway.database);
    // Once the gateways have their connections for locks again.
    const second = await eventually(() => pageOf(atChanged(customer)));
    expect(await openPages(customer)).toEqual([second]);
    released.resolve();
    const page = await slow;
    expect(await openPages(customer)).toEqual([page]);
  });

  it('is none, when the earlier one was paid while it was made', async () => {
    const customer = await world.customer();
    const paid = await pageOf(customer);
    world.stripe.gate = (request, moment) => {
      if (request === CREATION && moment === 'before') world.stripe.completeCheckout(paid);
    };
    const { browser } = atChanged(customer);
    expect(await browser.post('/billing/create-checkout')).toMatchObject({
      status: 503,
      body: { code: 'BILLING_BUSY' },
    });
    expect(await openPages(customer)).toEqual([]);
    expect((await browser.post('/billing/create-checkout')).body.code).toBe('ALREADY_SUBSCRIBED');
  });
});

describe('a customer who has subscribed', () => {
  it('between the look at the subscription and that for open pages is given no second page', async () => {
    const customer = await world.customer();
    const page = await pageOf(customer);
    let isFirst = true;
    world.stripe.gate = (request, moment) => {
      if (!isFirst || request !== 'GET /v1/checkout/sessions' || moment !== 'before') return;
      isFirst = false;
      world.stripe.completeCheckout(page);
    };
    const { browser } = customer;
    expect(await browser.post('/billing/create-checkout')).toMatchObject({
      status: 503,
      body: { code: 'BILLING_BUSY' },
    });
    expect(await openPages(customer)).toEqual([]);
    expect((await browser.post('/billing/create-checkout')).body.code).toBe('ALREADY_SUBSCRIBED');
  });

  it('otherwise than by the page they had can not pay that one as well', async () => {
    const customer = await world.customer();
    await pageOf(customer);
    const [account] = await world.query<{ id: string }>(
      'SELECT customer_id AS id FROM billing_account WHERE user_id = $1',
      [customer.userId],
    );
    world.stripe.subscribe(String(account?.id));
    const { body } = await customer.browser.post('/billing/create-checkout');
    expect(body.code).toBe('ALREADY_SUBSCRIBED');
    expect(await openPages(customer)).toEqual([]);
  });
});

describe('two subscriptions of one customer', () => {
  it('are one after the other, where the first has ended', async () => {
    const { browser, userId, subscription } = await world.subscriber();
    world.stripe.cancel(subscription);
    await world.deliverAll();
    await world.subscribe(browser);
    expect(await world.trail(userId)).not.toContain('second_subscription');
  });

  it('stand, are told the operator once, and let the app run as long as one of them goes on', async () => {
    const { browser, userId, email, subscription } = await world.subscriber();
    const second = world.stripe.subscribe(subscription.customer, {
      created: subscription.created + 60,
    });
    await world.deliverAll();
    for (const event of world.stripe.events.slice(-2)) expect(await world.deliver(event)).toBe(200);
    const steps = (await world.steps(userId)).filter(({ step }) => step === 'second_subscription');
    expect(steps).toMatchObject([{ detail: { counts: second.id, beside: subscription.id } }]);
    await world.allMailsAreSent();
    const told = mails.received.filter(({ to }) => to.includes(world.gateway.config.admin.email));
    expect(told.map(({ headers }) => headers.get('subject'))).toEqual([`A customer pays twice: ${email}`]);
    for (const { id } of [subscription, second]) expect(told[0]?.text).toContain(id);

    const stateOf = async () => (await browser.get('/billing/status')).body;
    expect(await stateOf()).toMatchObject({ status: 'active', entitled: true });
    world.stripe.failPayment(second);
    await world.deliverAll();
    expect(await stateOf()).toMatchObject({ status: 'active', entitled: true });
    world.stripe.cancel(second);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'running' });
    world.stripe.cancel(subscription);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped' });
    expect((await world.trail(userId)).filter((step) => step === 'second_subscription')).toHaveLength(1);
  });
});
