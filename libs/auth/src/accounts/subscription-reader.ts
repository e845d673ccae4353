/** A customer's subscription as that customer sees it. */
export interface CustomerSubscription {
  readonly status:
    | 'none'
    | 'trialing'
    | 'active'
    | 'past_due'
    | 'unpaid'
    | 'canceled'
    | 'incomplete'
    | 'incomplete_expired'
    | 'paused';
  /** Whether it opens the app now. */
  readonly entitled: boolean;
  readonly priceId: string | null;
  /** ISO 8601. */
  readonly currentPeriodEnd: string | null;
  readonly cancelAtPeriodEnd: boolean;
  /** ISO 8601. */
  readonly trialEnd: string | null;
}

/** Port: what a customer has subscribed to. Provided by billing. */
export abstract class SubscriptionReader {
  /** Null when there never was one, or without billing. */
  abstract subscriptionOf(userId: string): Promise<CustomerSubscription | null>;
}
