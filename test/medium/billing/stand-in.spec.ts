import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stripe } from 'stripe';
import { PRICE, StripeApi } from '../../support/stripe/stripe-api.js';

/* The stand-in of Stripe refuses what Stripe refuses: else a request that is none would pass every test. */

let api: StripeApi;
let stripe: Stripe;
let customer: string;

beforeAll(async () => {
  api = await StripeApi.start();
  const { hostname, port } = new URL(api.url);
  stripe = new Stripe(String(api.env['STRIPE_SECRET_KEY']), { protocol: 'http', host: hostname, port });
  customer = api.addCustomer('somebody').id;
});

afterAll(() => api[Symbol.asyncDispose]());

describe('the stand-in of Stripe', () => {
  const page = {
    mode: 'subscription',
    line_items: [{ price: PRICE, quantity: 1 }],
    success_url: 'https://app.example.com/',
  } as const satisfies Stripe.Checkout.SessionCreateParams;

  it('takes a page that has what it needs', async () => {
    const made = await stripe.checkout.sessions.create({ ...page, customer });
    expect(made).toMatchObject({ status: 'open' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['without a mode', { ...page, mode: undefined }],
    ['without a quantity', { ...page, line_items: [{ price: PRICE }] }],
    ['of none', { ...page, line_items: [{ price: PRICE, quantity: 0 }] }],
    ['without a way back', { ...page, success_url: undefined }],
    ['with a way back to nowhere', { ...page, success_url: '/?checkout=done' }],
    ['with tax of an unknown address', { ...page, automatic_tax: { enabled: true } }],
    ['with a trial of no days', { ...page, subscription_data: { trial_period_days: 0 } }],
    ['with what does not fit', { ...page, metadata: { key: 'v'.repeat(501) } }],
  ])('refuses a page %s', async (_what, params) => {
    await expect(stripe.checkout.sessions.create({ ...params, customer })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('refuses to list what is of a status that is none', async () => {
    const lists: (() => Promise<unknown>)[] = [
      () => stripe.subscriptions.list({ customer, status: 'open' as never }),
      () => stripe.checkout.sessions.list({ customer, status: 'all' as never }),
      () => stripe.invoices.list({ status: 'all' as never }),
    ];
    for (const list of lists)
      await expect(list()).rejects.toMatchObject({ statusCode: 400, param: 'status' });
  });
});
