/** Port: how many customers have paid for what. Provided by the billing library; without one there are no subscriptions. */
export abstract class SubscriptionFigures {
  /** Subscriptions there are, by their status in Stripe's words; null where billing is disabled. */
  abstract byStatus(): Promise<Readonly<Record<string, number>> | null>;
}
