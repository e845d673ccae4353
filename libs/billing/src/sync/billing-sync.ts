import { Injectable, Logger } from '@nestjs/common';
import { BillingError, Clock } from '#common';
import { type BillingAccount, BillingSyncState, ControlConnection, Transactions } from '#database';
import { BillingAccounts } from '../accounts/billing-accounts.js';
import { BillingEvents } from '../accounts/billing-events.js';
import { Customers } from '../accounts/customers.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { goesOn } from '../entitlement/entitlement.js';
import { PaymentProvider, type ProviderSubscription } from '../provider/payment-provider.js';
import { lastNight } from './night.js';

const THE_ONE_ROW = 1;
/** A page takes a second or two, but each that differs as well. */
const PATIENCE_MS = 60_000;

/** What a comparison found. */
export interface SyncReport {
  readonly compared: number;
  readonly repaired: number;
  /** Those that could not be read, or not be read anew; the log says why. */
  readonly skipped: number;
}

/**
 * Compares all subscriptions at Stripe with what is known here, page by page, and reads anew what differs: a delivery
 * that was lost is made good within a day. How far it came is kept, so that a gateway that ends in the middle does not
 * begin anew.
 */
@Injectable()
export class BillingSync {
  private readonly logger = new Logger(BillingSync.name);

  constructor(
    private readonly provider: PaymentProvider,
    private readonly accounts: BillingAccounts,
    private readonly customers: Customers,
    private readonly updates: SubscriptionUpdates,
    private readonly events: BillingEvents,
    private readonly transactions: Transactions,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  /**
   * The next page of tonight's comparison, where there is one.
   * @returns whether there is more
   */
  async advanceIfDue(signal: AbortSignal): Promise<boolean> {
    await using lock = await this.control.tryLock('billing-sync');
    if (lock === null) return false;
    const state = await this.state();
    if (state?.finishedAt === null) return await this.advance(state, signal);
    const isDue = state === null || state.startedAt.getTime() < lastNight(this.clock.nowMs());
    return isDue && (await this.advance(await this.begin(), signal));
  }

  /**
   * A whole comparison, now; one that was broken off is taken up.
   * @param patienceMs how long to wait for one that is under way
   * @throws BillingError PAYMENT_PROVIDER_UNAVAILABLE, PAYMENT_PROVIDER_FAILED, BILLING_BUSY
   */
  async runNow(patienceMs = PATIENCE_MS): Promise<SyncReport> {
    await using lock = await this.lock(patienceMs);
    let state = await this.state();
    if (state?.finishedAt !== null) state = await this.begin();
    while (await this.advance(state, lock.signal)) lock.signal.throwIfAborted();
    lock.signal.throwIfAborted();
    const { compared, repaired, skipped } = state;
    return { compared, repaired, skipped };
  }

  private async lock(timeoutMs: number) {
    try {
      return await this.control.acquire('billing-sync', { timeoutMs });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'TimeoutError')) throw error;
      throw new BillingError(
        'BILLING_BUSY',
        'Another comparison is under way. Please try again when it has ended.',
      );
    }
  }

  /** A page that was broken off is compared anew. */
  private async advance(state: BillingSyncState, signal: AbortSignal): Promise<boolean> {
    const { subscriptions, unreadable, cursor } = await this.provider.subscriptions(state.cursor);
    for (const { id, error } of unreadable)
      this.logger.warn({ err: error, subscription: id }, 'a subscription could not be read, and is skipped');
    state.skipped += unreadable.length;
    const known = await this.accounts.findByCustomers(subscriptions.map(({ customerId }) => customerId));
    const byCustomer = new Map(known.map((account) => [account.customerId, account]));
    for (const subscription of subscriptions) {
      if (signal.aborted) return false;
      state.compared += 1;
      const found = await this.compare(subscription, byCustomer.get(subscription.customerId));
      if (found !== 'same') state[found] += 1;
    }
    state.cursor = cursor;
    state.finishedAt = cursor === null ? this.clock.now() : null;
    await this.transactions.manager.save(BillingSyncState, state);
    if (cursor !== null) return true;
    await this.events.forgetOld();
    const { compared, repaired, skipped } = state;
    this.logger.log({ compared, repaired, skipped }, 'subscriptions were compared with those at Stripe');
    return false;
  }

  /** @returns whether it was read anew, or should have been */
  private async compare(
    subscription: ProviderSubscription,
    account: BillingAccount | undefined,
  ): Promise<'same' | 'repaired' | 'skipped'> {
    if (account !== undefined && !differs(account, subscription)) return 'same';
    // Made by nobody here: the Stripe account may sell more than this.
    if (account === undefined && subscription.userId === null) return 'same';
    let userId = account?.userId ?? null;
    try {
      userId ??= await this.customers.userOf(subscription.customerId);
      if (userId === null) return 'same';
      await this.updates.refresh(userId, { cause: 'sync' });
      return 'repaired';
    } catch (error) {
      // This one only: the rest must not wait for it.
      if (!(error instanceof BillingError) || error.code === 'PAYMENT_PROVIDER_UNAVAILABLE') throw error;
      this.logger.warn(
        { err: error, userId, subscription: subscription.id },
        'a subscription could not be read anew',
      );
      return 'skipped';
    }
  }

  private state(): Promise<BillingSyncState | null> {
    return this.transactions.manager.findOneBy(BillingSyncState, { id: THE_ONE_ROW });
  }

  private begin(): Promise<BillingSyncState> {
    return this.transactions.manager.save(BillingSyncState, {
      id: THE_ONE_ROW,
      startedAt: this.clock.now(),
      cursor: null,
      finishedAt: null,
      compared: 0,
      repaired: 0,
      skipped: 0,
    });
  }
}

/** Whether an account does not say what it should of a subscription of its customer. */
function differs(account: BillingAccount, subscription: ProviderSubscription): boolean {
  if (account.subscriptionId !== subscription.id)
    return account.subscriptionId === null || goesOn(subscription.status);
  const { status, priceId, cancelAtPeriodEnd } = subscription;
  return (
    account.status !== status ||
    account.priceId !== priceId ||
    account.cancelAtPeriodEnd !== cancelAtPeriodEnd ||
    (['currentPeriodEnd', 'cancelAt', 'trialEnd', 'endedAt'] as const).some(
      (when) => account[when]?.getTime() !== subscription[when]?.getTime(),
    )
  );
}
