import type { CustomerSubscription } from './schemas.js';

/** Port: what a customer has subscribed to. Provided by billing. */
export abstract class SubscriptionReader {
  /** Null when there never was one, or without billing. */
  abstract subscriptionOf(userId: string): Promise<CustomerSubscription | null>;

  /** Those of many at once, by their ids; of whom never had one, or without billing, there is none. */
  abstract subscriptionsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, CustomerSubscription>>;
}
