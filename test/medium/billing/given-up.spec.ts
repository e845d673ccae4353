import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StripePayments } from '../../../libs/billing/src/provider/stripe-payments.js';
import { eventually } from '../../support/eventually.js';
import { StripeApi } from '../../support/stripe/stripe-api.js';

/* A call to Stripe that nobody waits for any more goes on there. The next one may have begun by then. */

const CREATION = 'POST /v1/checkout/sessions';

let stripe: StripeApi;

beforeAll(async () => {
  stripe = await StripeApi.start();
});

afterAll(() => stripe[Symbol.asyncDispose]());

function payments(promotionCodes: boolean, callMs?: number): StripePayments {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_PRICE_ID, STRIPE_API_BASE } = stripe.env;
  return new StripePayments(
    {
      secretKey: String(STRIPE_SECRET_KEY),
      webhookSecret: String(STRIPE_WEBHOOK_SECRET),
      priceId: String(STRIPE_PRICE_ID),
      apiBase: String(STRIPE_API_BASE),
    },
    { promotionCodes, automaticTax: false },
    'installation',
    callMs,
  );
}

describe('a checkout that was given up', () => {
  it('closes its own page, and not that of the one after it', async () => {
    const customerId = stripe.addCustomer('somebody').id;
    const request = {
      customerId,
      userId: 'somebody',
      trialDays: 0,
      successUrl: 'http://app.test/?done',
      cancelUrl: 'http://app.test/',
    };
    const released = Promise.withResolvers<void>();
    let isFirst = true;
    stripe.gate = (name, moment) => {
      if (!isFirst || name !== CREATION || moment !== 'before') return undefined;
      isFirst = false;
      return released.promise;
    };
    await expect(payments(false, 500).checkout(request)).rejects.toMatchObject({
      code: 'PAYMENT_PROVIDER_UNAVAILABLE',
    });
    const later = await payments(true).checkout(request);
    released.resolve();
    await eventually(async () =>
      expect([...stripe.sessions.values()].map(({ url, status }) => [url === later, status])).toEqual([
        [true, 'open'],
        [false, 'expired'],
      ]),
    );
  });
});
