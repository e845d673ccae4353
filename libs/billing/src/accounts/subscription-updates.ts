import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { type BillingAccount, ControlConnection, Transactions } from '#database';
import { busy } from '../busy.js';
import { BillingJournal } from '../journal/billing-journal.js';
import {
  type CustomerReading,
  PaymentProvider,
  type ProviderSubscription,
} from '../provider/payment-provider.js';
import { BillingAccounts } from './billing-accounts.js';
import { Consequences } from './consequences.js';

/** Stripe waits no longer than that for an answer to a delivery. */
const LOCK_MS = 8000;

export interface Refresh {
  /** What led to it, for the trail. */
  readonly cause: string;
  /**
   * Done first in the same transaction.
   * @returns false when nothing is to be done any more
   */
  readonly first?: () => Promise<boolean>;
  /** Done last in the same transaction, with the account as it is then. */
  readonly last?: (account: BillingAccount) => Promise<void>;
}

/**
 * Reads what a customer has at Stripe, and lets it take effect.
 *
 * What was read can't take the place of what was read later: of one customer only one reading is under way, by a lock
 * across all replicas, and it is kept only if none was kept since it began, by the account's revision, should the lock
 * have been lost meanwhile. No connection of the pool waits for Stripe.
 */
@Injectable()
export class SubscriptionUpdates {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly provider: PaymentProvider,
    private readonly consequences: Consequences,
    private readonly journal: BillingJournal,
    private readonly transactions: Transactions,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  /**
   * The account as it is from then on; as it was when `first` said no.
   * @throws BillingError PAYMENT_PROVIDER_UNAVAILABLE, PAYMENT_PROVIDER_FAILED, BILLING_BUSY; then nothing has changed
   * @throws CoreError DATABASE_UNAVAILABLE
   */
  async refresh(userId: string, refresh: Refresh): Promise<BillingAccount> {
    await using lock = await this.lockOf(userId);
    const before = await this.accounts.ensure(userId);
    const { customerId } = before;
    const reading = customerId === null ? null : await this.provider.read(customerId);
    if (lock.signal.aborted) throw busy();
    // Awaited here: the lock is given back when this ends, and not before.
    return await this.transactions.run(async () => {
      if (refresh.first !== undefined && !(await refresh.first())) return before;
      const account = await this.accounts.lock(userId);
      if (account?.revision !== before.revision || account.customerId !== customerId) throw busy();
      const { status } = account;
      await this.keep(account, reading, refresh.cause);
      await this.consequences.follow(account, status, reading, refresh.cause);
      await refresh.last?.(account);
      return account;
    });
  }

  private async lockOf(userId: string) {
    try {
      return await this.control.acquire(`billing:${userId}`, { timeoutMs: LOCK_MS });
    } catch (error) {
      throw error instanceof DOMException && error.name === 'TimeoutError' ? busy() : error;
    }
  }

  private async keep(account: BillingAccount, reading: CustomerReading | null, cause: string): Promise<void> {
    const { userId, status: from } = account;
    const seen = reading === null ? {} : this.stateOf(account, reading);
    const { status: to = from } = seen;
    const changed = { ...seen, revision: account.revision + 1 };
    if (to !== from) {
      Object.assign(changed, { statusSince: this.clock.now() });
      await this.journal.note({ userId, step: 'status_changed', cause, detail: { from, to } });
    }
    if (reading?.kind === 'gone')
      await this.journal.note({
        userId,
        step: 'customer_deleted',
        cause,
        detail: { customer: account.customerId },
      });
    Object.assign(account, changed);
    await this.accounts.update(userId, changed);
  }

  private stateOf(account: BillingAccount, reading: CustomerReading): Partial<BillingAccount> {
    if (reading.kind === 'gone') return this.withoutCustomer(account, reading.subscription);
    const { subscription, openInvoice } = reading;
    if (subscription === null) return {};
    const { status } = subscription;
    const goesOn = account.status === status && account.subscriptionId === subscription.id;
    const missing = openInvoice?.dueSince ?? (goesOn ? account.pastDueSince : null) ?? this.clock.now();
    return { ...stateIn(subscription), pastDueSince: status === 'past_due' ? missing : null };
  }

  /** With the customer all of their subscriptions have ended, and the next one is another customer's. */
  private withoutCustomer(
    account: BillingAccount,
    subscription: ProviderSubscription | null,
  ): Partial<BillingAccount> {
    const known = subscription === null ? {} : stateIn(subscription);
    const had = subscription !== null || account.subscriptionId !== null;
    return {
      ...known,
      customerId: null,
      customerEmail: null,
      customerNumber: account.customerNumber + 1,
      status: had ? 'canceled' : 'none',
      endedAt: had ? (subscription?.endedAt ?? account.endedAt ?? this.clock.now()) : null,
      cancelAt: null,
      cancelAtPeriodEnd: false,
      pastDueSince: null,
    };
  }
}

/** What an account says of a subscription. */
function stateIn(subscription: ProviderSubscription) {
  const { id, status, priceId, currentPeriodEnd, cancelAt, cancelAtPeriodEnd, trialEnd, endedAt } =
    subscription;
  return {
    subscriptionId: id,
    status,
    priceId,
    currentPeriodEnd,
    cancelAt,
    cancelAtPeriodEnd,
    trialEnd,
    endedAt,
  };
}
