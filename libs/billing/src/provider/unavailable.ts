import { BillingError } from '#common';

const RETRY_SECONDS = 5;

/** For now: who asks again can have what was asked for. */
export function unavailable(cause: unknown): BillingError {
  return new BillingError(
    'PAYMENT_PROVIDER_UNAVAILABLE',
    'Stripe does not answer just now. Nothing was charged; please try again in a moment.',
    { cause, retryAfterSeconds: RETRY_SECONDS },
  );
}
