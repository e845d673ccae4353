import type { Stripe } from 'stripe';
import { BillingError } from '#common';
import type { ProviderSubscription, SubscriptionPage, UnreadableSubscription } from './payment-provider.js';

/** The key of metadata that says for whom something was made. It is set by API only: no payer can name another's account. */
export const USER_KEY = 'sluice_user';

/** From what counts the most to what counts the least. Ended ones count more than those that never began. */
const STATUSES: ReadonlyArray<ProviderSubscription['status']> = [
  'active',
  'trialing',
  'past_due',
  'paused',
  'unpaid',
  'canceled',
  'incomplete',
  'incomplete_expired',
];

/** @throws BillingError PAYMENT_PROVIDER_FAILED for one that is not as it should be: nothing is made of it */
export function subscriptionOf(subscription: Stripe.Subscription): ProviderSubscription {
  try {
    return read(subscription);
  } catch (error) {
    if (error instanceof BillingError) throw error;
    // A part that should be there is not: it concerns this one alone, and must not look as if it concerned everybody.
    throw new BillingError('PAYMENT_PROVIDER_FAILED', `Nothing can be made of ${subscription.id}.`, {
      cause: error,
    });
  }
}

function read(subscription: Stripe.Subscription): ProviderSubscription {
  const { id, customer, items, created, cancel_at: cancelAt, ended_at: endedAt } = subscription;
  const [item] = items.data;
  const status = STATUSES.find((known) => known === subscription.status);
  if (status === undefined)
    throw new BillingError('PAYMENT_PROVIDER_FAILED', `Stripe calls ${id} ${subscription.status}.`);
  const currentPeriodEnd = dateOf(item?.current_period_end);
  return {
    id,
    status,
    customerId: typeof customer === 'string' ? customer : customer.id,
    userId: subscription.metadata[USER_KEY] ?? null,
    priceId: item?.price.id ?? null,
    createdAt: new Date(created * 1000),
    currentPeriodEnd,
    cancelAt: dateOf(cancelAt) ?? (subscription.cancel_at_period_end ? currentPeriodEnd : null),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    trialEnd: dateOf(subscription.trial_end),
    endedAt: dateOf(endedAt),
  };
}

/** Those that can be read, and those that can't: one of somebody's is not in the way of all others. */
export function readAll(all: readonly Stripe.Subscription[]): Omit<SubscriptionPage, 'cursor'> {
  const subscriptions: ProviderSubscription[] = [];
  const unreadable: UnreadableSubscription[] = [];
  for (const subscription of all) {
    try {
      subscriptions.push(subscriptionOf(subscription));
    } catch (error) {
      unreadable.push({ id: subscription.id, error });
    }
  }
  return { subscriptions, unreadable };
}

/** The one that counts of all that a customer has or had: the best one, and of those the latest. */
export function theOneThatCounts(all: readonly ProviderSubscription[]): ProviderSubscription | null {
  const [best] = all.toSorted(
    (a, b) =>
      STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
      b.createdAt.getTime() - a.createdAt.getTime() ||
      (a.id < b.id ? 1 : -1),
  );
  return best ?? null;
}

/** Stripe counts seconds. */
export function dateOf(seconds: number | null | undefined): Date | null {
  return seconds === null || seconds === undefined ? null : new Date(seconds * 1000);
}
