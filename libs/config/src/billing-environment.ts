import { z } from 'zod';
import * as value from './values.js';

/** The variables of billing; the others are in environment.ts. */
export const billing = {
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_\S+$/, 'must be a secret key of Stripe, such as sk_live_…')
    .optional()
    .describe('Your key at Stripe, which turns billing on. Set these three, or none of them.'),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^\S{8,}$/, 'must be the signing secret of the webhook endpoint, such as whsec_…')
    .optional()
    .describe("Signing secret of the webhook endpoint that leads to APP_URL's /billing/webhook."),
  STRIPE_PRICE_ID: z
    .string()
    .regex(/^(?!prod_)\S+$/, 'must be the id of a price, such as price_…, and not of a product')
    .optional()
    .describe('The recurring price that customers subscribe to.'),
  STRIPE_API_BASE: value.httpUrl
    .optional()
    .describe('Another host in the place of https://api.stripe.com, for tests.'),
  BILLING_REQUIRED: value.flag
    .prefault('false')
    .describe(
      'Whether a customer needs a subscription from the start; else only one that failed to pay is stopped.',
    ),
  BILLING_GRACE_DAYS: value
    .integer(0, 365)
    .prefault('7')
    .describe('A slice goes on for so many days after a payment has failed.'),
  BILLING_TRIAL_DAYS: value
    .integer(0, 730)
    .prefault('0')
    .describe('Days without a payment at the beginning of the first subscription; 0: none.'),
  BILLING_PROMOTION_CODES: value.flag
    .prefault('false')
    .describe('Whether customers may enter a promotion code at the checkout.'),
  BILLING_AUTOMATIC_TAX: value.flag
    .prefault('false')
    .describe('Whether Stripe Tax works out the tax; it has to be set up there first.'),
};
