import type { SubscriptionStatus } from '#database';

/** A subscription as it is at the provider at one moment. */
export interface ProviderSubscription {
  readonly id: string;
  readonly status: Exclude<SubscriptionStatus, 'none'>;
  readonly customerId: string;
  /** Whom it was made for; null when not by us. */
  readonly userId: string | null;
  readonly priceId: string | null;
  readonly createdAt: Date;
  readonly currentPeriodEnd: Date | null;
  /** When it will end, where that was asked for. */
  readonly cancelAt: Date | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly trialEnd: Date | null;
  readonly endedAt: Date | null;
}

/** An invoice that waits for its payment. */
export interface OpenInvoice {
  readonly id: string;
  readonly dueSince: Date;
  /** Where it can be paid. */
  readonly url: string | null;
}

/** What a customer has at the provider. */
export type CustomerReading =
  | {
      /** Deleted, and with that all of its subscriptions ended. */
      readonly kind: 'gone';
      /** The one that counted. */
      readonly subscription: ProviderSubscription | null;
    }
  | {
      readonly kind: 'customer';
      /** The one that counts; null when there never was one. */
      readonly subscription: ProviderSubscription | null;
      /** The one that has waited the longest, of a subscription that is `past_due`. */
      readonly openInvoice: OpenInvoice | null;
      /** Others that go on, and are paid for, beside the one that counts. */
      readonly second: readonly string[];
    };

export interface CheckoutRequest {
  readonly customerId: string;
  readonly userId: string;
  readonly trialDays: number;
  readonly successUrl: string;
  readonly cancelUrl: string;
}

/** One that nothing can be made of, a status that is not known here above all. */
export interface UnreadableSubscription {
  readonly id: string;
  readonly error: unknown;
}

export interface SubscriptionPage {
  readonly subscriptions: readonly ProviderSubscription[];
  readonly unreadable: readonly UnreadableSubscription[];
  /** Where the next page begins; null after the last. */
  readonly cursor: string | null;
}

/** What an event is about. */
export interface ProviderEvent {
  readonly id: string;
  readonly type: string;
  readonly createdAt: Date;
  readonly objectId: string | null;
  readonly customerId: string | null;
  /** Of a dispute. */
  readonly chargeId: string | null;
}

/**
 * Port: who takes the money. Each call ends within eight seconds, whatever the other side does.
 * @throws BillingError PAYMENT_PROVIDER_UNAVAILABLE when another try may help, PAYMENT_PROVIDER_FAILED when not
 */
export abstract class PaymentProvider {
  /** The customer that was made for a user with that address, as it was then; null when there is none (any more). */
  abstract findCustomer(userId: string, email: string): Promise<string | null>;

  /**
   * Makes a customer, once for each number of a user's, within a day, however often it is called with one address.
   * @param number counts the requests for a customer of this user, from 1
   * @returns null when that number is used up: it will be answered by the failure of long ago for ever
   */
  abstract createCustomer(userId: string, number: number, email: string): Promise<string | null>;

  /** Tells the address of a customer. @returns false when there is no such customer (any more) */
  abstract describeCustomer(customerId: string, email: string, name: string | null): Promise<boolean>;

  /** Forgets a customer, whose subscriptions end by that at once. One that is gone is no fault. */
  abstract deleteCustomer(customerId: string): Promise<void>;

  /** Which user a customer was made for; null when it was not by us, or is gone. */
  abstract userOfCustomer(customerId: string): Promise<string | null>;

  /** Whose charge it was. */
  abstract customerOfCharge(chargeId: string): Promise<string | null>;

  /** An invoice that still waits for its payment; null when it does not (any more). */
  abstract openInvoice(invoiceId: string): Promise<OpenInvoice | null>;

  /** What a customer has now. */
  abstract read(customerId: string): Promise<CustomerReading>;

  /**
   * Where a customer subscribes: the page that is open for them and offers the same, or a new one. No other stays open.
   * @throws BillingError BILLING_BUSY when another one has just been paid
   */
  abstract checkout(request: CheckoutRequest): Promise<string>;

  /** Closes the pages that are open for a customer. */
  abstract closeCheckouts(customerId: string): Promise<void>;

  /** Where a customer sees to payments and to the subscription; null when there is no such customer (any more). */
  abstract portal(customerId: string, returnUrl: string): Promise<string | null>;

  /**
   * All subscriptions there are, page by page.
   * @param after the cursor of the page before; null: from the first
   */
  abstract subscriptions(after: string | null): Promise<SubscriptionPage>;

  /**
   * Reads a delivery whose signature is right, and not older than five minutes.
   * @throws BillingError WEBHOOK_REJECTED
   */
  abstract eventOf(body: Buffer, signature: string | undefined, nowMs: number): ProviderEvent;
}
