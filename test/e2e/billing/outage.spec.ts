import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import type { Browser } from '../../support/clients.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import type { StandInEvent, Weather } from '../../support/stripe/stripe-api.js';

let app: EchoApp;
let world: BillingWorld;

beforeAll(async () => {
  app = await EchoApp.start('1');
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

describe.each<Weather>(['down', 'slow', 'dripping', 'limiting', 'failing', 'unreachable', 'garbled'])(
  'a Stripe that is %s',
  (weather) => {
    it('leaves slices running, answers 503 within 10 s, and loses nothing', async () => {
      const newcomer = await world.customer(app);
      const subscriber = await world.subscriber(app);
      await world.answers(subscriber.browser, 200);
      world.stripe.cancel(subscriber.subscription);
      const event = world.stripe.events.at(-1) as StandInEvent;
      world.loseAll();

      world.stripe.weather = weather;
      try {
        const began = performance.now();
        const [checkout, portal, webhook] = await Promise.all([
          newcomer.browser.post('/billing/create-checkout'),
          subscriber.browser.get('/billing/portal'),
          world.deliver(event),
          servedAllAlong(subscriber.browser),
        ]);
        expect(performance.now() - began).toBeLessThan(10_000);
        for (const { status, body } of [checkout, portal]) {
          expect(status).toBe(503);
          expect(body).toMatchObject({
            code: 'PAYMENT_PROVIDER_UNAVAILABLE',
            message: expect.stringContaining('Stripe'),
            route: 'billing',
          });
          expect(JSON.stringify(body)).not.toContain('sk_test');
        }
        expect(webhook).toBe(503);
        expect(await world.query('SELECT FROM billing_event WHERE id = $1', [event.id])).toEqual([]);
        // What is known here needs no Stripe.
        expect((await subscriber.browser.get('/billing/status')).body).toMatchObject({ status: 'active' });
      } finally {
        world.stripe.weather = 'fine';
      }

      expect(await world.deliver(event)).toBe(200);
      expect((await subscriber.browser.get('/billing/status')).body).toMatchObject({ status: 'canceled' });
      // What the gateway had not heard the end of may still be under way there.
      await eventually(async () =>
        expect((await newcomer.browser.post('/billing/create-checkout')).status).toBe(200),
      );
      const made = [...world.stripe.customers.values()].filter(
        ({ metadata }) => metadata['sluice_user'] === newcomer.userId,
      );
      expect(made).toHaveLength(1);
    }, 60_000);
  },
);

/** A few requests beside it, one after the other. */
async function servedAllAlong(browser: Browser): Promise<void> {
  for (let i = 0; i < 20; i += 1) expect((await browser.get('/api/x')).status).toBe(200);
}

describe('a Stripe that refuses', () => {
  it('is told as 502, which another try would not help', async () => {
    await using wrong = await BillingWorld.start(
      assignedSlices({ STRIPE_PRICE_ID: 'price_that_is_not_there' }),
    );
    const { browser } = await wrong.customer();
    expect(await browser.post('/billing/create-checkout')).toMatchObject({
      status: 502,
      body: { code: 'PAYMENT_PROVIDER_FAILED' },
    });
  });
});
