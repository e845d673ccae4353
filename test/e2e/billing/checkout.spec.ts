import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { Gateway } from '../../support/gateway.js';
import { PRICE } from '../../support/stripe/stripe-api.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => {
  world.stripe.requests.length = 0;
});

/** The customers at Stripe that were made for a user. */
function customersOf(userId: string) {
  return [...world.stripe.customers.values()].filter(({ metadata }) => metadata['sluice_user'] === userId);
}

describe('the checkout', () => {
  it('leads from nothing to a subscription that the account shows', async () => {
    const { browser, userId, email } = await world.customer();
    expect((await browser.get('/billing/status')).body).toEqual({
      enabled: true,
      status: 'none',
      entitled: true,
      priceId: null,
      currentPeriodEnd: null,
      cancelAtPeriodEnd: false,
      trialEnd: null,
    });
    expect((await browser.get('/auth/me')).body.subscription).toBeNull();

    const { status, body } = await browser.post('/billing/create-checkout');
    expect({ status, body }).toEqual({
      status: 200,
      body: { url: expect.stringMatching(/^https:\/\/checkout\./) },
    });
    const subscription = world.stripe.completeCheckout(body.url);
    expect(new Set(await world.deliverAll())).toEqual(new Set([200]));

    const expected = {
      status: 'active',
      entitled: true,
      priceId: PRICE,
      currentPeriodEnd: new Date(subscription.periodEnd * 1000).toISOString(),
      cancelAtPeriodEnd: false,
      trialEnd: null,
    };
    expect((await browser.get('/billing/status')).body).toEqual({ enabled: true, ...expected });
    expect((await browser.get('/auth/me')).body.subscription).toEqual(expected);
    expect(customersOf(userId)).toMatchObject([{ email }]);
    expect(await world.trail(userId)).toEqual(['customer_created', 'status_changed']);
  });

  it('makes one customer and one page, however often and however parallel it is asked for', async () => {
    const { browser, userId } = await world.customer();
    await using replica = await Gateway.start({
      ...ASSIGNED_SLICES,
      database: world.gateway.database,
      dataDir: world.gateway.dataDir,
      env: {
        ...ASSIGNED_SLICES.env,
        ...world.stripe.env,
        SECRET_KEY: world.gateway.config.secretKey,
        APP_URL: world.gateway.url,
      },
    });
    const other = replica.browser();
    other.cookie = browser.cookie;
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? browser : other).post('/billing/create-checkout')),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(all.map(({ body }) => body.url)).size).toBe(1);
    expect(customersOf(userId)).toHaveLength(1);
  });

  it('lets nobody subscribe twice, although the first payment has not been told yet', async () => {
    const { browser } = await world.customer();
    const { body } = await browser.post('/billing/create-checkout');
    world.stripe.completeCheckout(body.url);
    world.loseAll();
    const again = await browser.post('/billing/create-checkout');
    expect(again).toMatchObject({ status: 409, body: { code: 'ALREADY_SUBSCRIBED', route: 'billing' } });
    expect((await browser.get('/billing/status')).body.status).toBe('active');
  });

  it('makes another customer in the place of one that was deleted at Stripe', async () => {
    const { browser, userId, subscription } = await world.subscriber();
    world.stripe.deleteCustomer(subscription.customer);
    world.loseAll();
    expect((await browser.post('/billing/create-checkout')).status).toBe(200);
    expect(customersOf(userId).map(({ deleted }) => deleted)).toEqual([true, false]);
    expect(await world.trail(userId)).toEqual(expect.arrayContaining(['customer_deleted', 'slice_stopped']));
  });

  it('asks for a session, and for one of our own pages', async () => {
    const stranger = world.gateway.browser();
    for (const [method, path] of [
      ['POST', '/billing/create-checkout'],
      ['GET', '/billing/portal'],
      ['GET', '/billing/status'],
    ] as const)
      expect((await stranger.send(method, path)).status).toBe(401);
    const { browser } = await world.customer();
    const foreign = { headers: { origin: 'https://evil.example' } };
    expect((await browser.send('POST', '/billing/create-checkout', foreign)).body.code).toBe('CSRF_REJECTED');
    expect(world.stripe.requests).toEqual([]);
  });
});

describe('the portal', () => {
  it('is for whoever has a subscription', async () => {
    const { browser } = await world.customer();
    expect(await browser.get('/billing/portal')).toMatchObject({
      status: 409,
      body: { code: 'NOT_SUBSCRIBED' },
    });
    await world.subscribe(browser);
    expect(await browser.get('/billing/portal')).toMatchObject({
      status: 200,
      body: { url: expect.stringMatching(/^https:\/\/billing\./) },
    });
  });
});

describe('the portal of a customer who was deleted at Stripe', () => {
  it('is none, although nobody has told of it yet', async () => {
    const { browser, userId, subscription } = await world.subscriber();
    world.stripe.deleteCustomer(subscription.customer);
    world.loseAll();
    expect(await browser.get('/billing/portal')).toMatchObject({
      status: 409,
      body: { code: 'NOT_SUBSCRIBED' },
    });
    expect(await world.trail(userId)).toContain('customer_deleted');
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'canceled' });
  });
});

describe('whoever asks for page after page', () => {
  it('is told to wait, before Stripe is asked, and nobody else is', async () => {
    const { browser } = await world.subscriber();
    const statuses = new Set<number>();
    for (let asked = 1; asked < 30; asked += 1) statuses.add((await browser.get('/billing/portal')).status);
    expect(statuses).toEqual(new Set([200]));
    world.stripe.requests.length = 0;
    const refused = await Promise.all([
      browser.get('/billing/portal'),
      browser.post('/billing/create-checkout'),
    ]);
    for (const { status, body, headers } of refused) {
      expect([status, body.code]).toEqual([429, 'RATE_LIMITED']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(world.stripe.requests).toEqual([]);
    const other = await world.customer();
    expect((await other.browser.post('/billing/create-checkout')).status).toBe(200);
  });
});

describe('trial, promotion codes and tax', () => {
  it('are asked of Stripe where they are configured, and the trial once', async () => {
    await using tried = await BillingWorld.start(
      assignedSlices({
        BILLING_TRIAL_DAYS: '14',
        BILLING_PROMOTION_CODES: 'true',
        BILLING_AUTOMATIC_TAX: 'true',
      }),
    );
    const { browser, subscription } = await tried.subscriber();
    const session = () => [...tried.stripe.sessions.values()].at(-1)?.params;
    expect(session()).toMatchObject({
      allow_promotion_codes: 'true',
      automatic_tax: { enabled: 'true' },
      customer_update: { address: 'auto' },
      subscription_data: { trial_period_days: '14' },
    });
    expect((await browser.get('/billing/status')).body).toMatchObject({
      status: 'trialing',
      entitled: true,
      trialEnd: expect.any(String),
    });
    tried.stripe.cancel(subscription);
    await tried.deliverAll();
    await browser.post('/billing/create-checkout');
    expect(session()).toMatchObject({ subscription_data: { metadata: {} } });
    expect(session()?.['subscription_data']).not.toHaveProperty('trial_period_days');
  });

  it('are left out where they are not', async () => {
    const { browser } = await world.customer();
    await browser.post('/billing/create-checkout');
    const { params } = [...world.stripe.sessions.values()].at(-1) ?? {};
    expect(params).toMatchObject({ allow_promotion_codes: 'false', mode: 'subscription' });
    expect(params).not.toHaveProperty('automatic_tax');
    expect(params?.['subscription_data']).not.toHaveProperty('trial_period_days');
  });
});
