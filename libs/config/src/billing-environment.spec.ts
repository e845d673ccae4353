import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';

const DATA_DIR = join(tmpdir(), 'sluice-billing-environment');
const DAY = 24 * 3_600_000;
const STRIPE = {
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_test',
  STRIPE_PRICE_ID: 'price_1',
};
const PRODUCTION = {
  NODE_ENV: 'production',
  SECRET_KEY: 'a secret key that is long enough, at last',
  GATEWAY_JWT_SECRET: 'a jwt secret that is long enough, at last',
  ADMIN_KEY: 'an admin key that is long enough',
  ADMIN_EMAIL: 'admin@example.com',
  ADMIN_PASSWORD: 'a password that nobody guesses',
  APP_URL: 'https://sluice.example',
  SLICE_IMAGE: 'acme/app',
};

function billingOf(env: NodeJS.ProcessEnv) {
  return loadConfig({ DATA_DIR, ...env }).billing;
}

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig({ DATA_DIR, ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('billing in the environment', () => {
  it('is off by default', () => {
    expect(billingOf({})).toEqual({
      stripe: null,
      incomplete: false,
      required: false,
      graceMs: 7 * DAY,
      trialDays: 0,
      promotionCodes: false,
      automaticTax: false,
    });
  });

  it('is on with key, secret and price', () => {
    expect(billingOf({ ...STRIPE, STRIPE_API_BASE: 'http://127.0.0.1:12111/' }).stripe).toEqual({
      secretKey: 'sk_test_1',
      webhookSecret: 'whsec_test',
      priceId: 'price_1',
      apiBase: 'http://127.0.0.1:12111',
    });
  });

  it.each(Object.keys(STRIPE))('is off without %s, which is a fault in production', (name) => {
    const without = { ...STRIPE, [name]: '' };
    expect(billingOf(without)).toMatchObject({ stripe: null, incomplete: name !== 'STRIPE_SECRET_KEY' });
    expect(faultsOf({ ...PRODUCTION, ...without })).toEqual(
      name === 'STRIPE_SECRET_KEY'
        ? []
        : [`${name} is required in production, since STRIPE_SECRET_KEY is set`],
    );
  });

  it('does not send the key in the clear in production', () => {
    expect(faultsOf({ ...PRODUCTION, ...STRIPE, STRIPE_API_BASE: 'http://stripe.example' })).toEqual([
      'STRIPE_API_BASE must be an https URL in production',
    ]);
  });

  it.each([
    ['BILLING_GRACE_DAYS', '-1'],
    ['SLICE_RETENTION_DAYS', '0'],
    ['BILLING_REQUIRED', 'maybe'],
    ['BILLING_TRIAL_DAYS', '1.5'],
    ['STRIPE_API_BASE', 'api.stripe.com'],
  ])('%s is not %j', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name} `)]);
  });
});
