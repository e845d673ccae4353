import { Stripe } from 'stripe';
import { BillingError } from '#common';
import { unavailable } from './unavailable.js';

/**
 * What went wrong at Stripe, in our words. Of the original only what is no secret is kept: it holds headers, and what
 * was sent.
 */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const cause = new Error(summaryOf(error));
  if (isTransient(error)) return unavailable(cause);
  return new BillingError(
    'PAYMENT_PROVIDER_FAILED',
    'Stripe refused the request. The operator can see why; please ask for help.',
    { cause },
  );
}

/** Whether Stripe says that what was named is not there. */
export function isMissing(error: unknown, param?: string): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    error.code === 'resource_missing' &&
    (param === undefined || error.param === param)
  );
}

/**
 * Whether it is the answer to an earlier request with the same key that failed. Stripe keeps it, and says nothing else
 * to that key.
 */
export function isReplayedFailure(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeError &&
    (error.statusCode ?? 0) >= 500 &&
    error.headers?.['idempotent-replayed'] === 'true'
  );
}

/**
 * Only what Stripe itself refuses is refused. What came without its status is the answer of something in front of it, an
 * HTML page mostly, and what was asked for may still be at work behind.
 */
function isTransient({ statusCode }: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  const isRefusal = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return !isRefusal || statusCode === 409 || statusCode === 429;
}

function summaryOf(error: InstanceType<typeof Stripe.errors.StripeError>): string {
  const parts = [error.type, error.statusCode, error.code, error.param, error.requestId, error.message];
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}
