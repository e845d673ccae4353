import { BillingError } from '#common';

const RETRY_SECONDS = 2;

/** Another one is at it, or was, and this one is to be tried again. */
export function busy(): BillingError {
  return new BillingError(
    'BILLING_BUSY',
    'Your subscription is being looked after just now. Please try again in a moment.',
    { retryAfterSeconds: RETRY_SECONDS },
  );
}
