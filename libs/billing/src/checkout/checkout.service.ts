import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AllowedOrigins } from '#auth';
import { BillingError } from '#common';
import { AppConfig } from '#config';
import { type BillingAccount, ControlConnection } from '#database';
import { BillingAccounts, type Recipient } from '../accounts/billing-accounts.js';
import { Customers } from '../accounts/customers.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { busy } from '../busy.js';
import { goesOn } from '../entitlement/entitlement.js';
import { disabled } from '../provider/no-provider.js';
import { PaymentProvider } from '../provider/payment-provider.js';
import { unavailable } from '../provider/unavailable.js';
import { PageThrottle } from './page-throttle.js';
import type { Address } from './schemas.js';

/** A customer looks at a spinner meanwhile. */
const PATIENCE_MS = 8500;

/** Longer than the customer waits: those who wait behind a slow one are told by the clock above. */
const LOCK_MS = PATIENCE_MS + 5000;

/** The pages at Stripe where customers pay. */
@Injectable()
export class CheckoutService {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly customers: Customers,
    private readonly updates: SubscriptionUpdates,
    private readonly provider: PaymentProvider,
    private readonly throttle: PageThrottle,
    private readonly control: ControlConnection,
    private readonly config: AppConfig,
    private readonly origins: AllowedOrigins,
  ) {}

  /**
   * Where the customer subscribes.
   * @throws BillingError BILLING_DISABLED, ALREADY_SUBSCRIBED, PAYMENT_PROVIDER_FAILED, PAYMENT_PROVIDER_UNAVAILABLE
   * @throws CoreError RATE_LIMITED
   */
  async begin(user: Recipient): Promise<Address> {
    if (this.config.billing.stripe === null) return disabled();
    await this.throttle.admit(user.id);
    return withPatience(this.open(user));
  }

  /**
   * Where the customer sees to payments, and cancels.
   * @throws BillingError BILLING_DISABLED, NOT_SUBSCRIBED, PAYMENT_PROVIDER_FAILED, PAYMENT_PROVIDER_UNAVAILABLE
   * @throws CoreError RATE_LIMITED
   */
  async portal(user: Recipient): Promise<Address> {
    if (this.config.billing.stripe === null) return disabled();
    await this.throttle.admit(user.id);
    const customerId = (await this.accounts.find(user.id))?.customerId ?? null;
    if (customerId === null) throw notSubscribed();
    return withPatience(this.portalOf(user.id, customerId));
  }

  /** A customer who was deleted at Stripe may not have been told of yet. */
  private async portalOf(userId: string, customerId: string): Promise<Address> {
    const url = await this.provider.portal(customerId, `${this.base}/`);
    if (url !== null) return { url };
    await this.updates.refresh(userId, { cause: 'portal' });
    throw notSubscribed();
  }

  /** One at a time for each customer, across all replicas: two pages to pay at could both be paid. */
  private async open(user: Recipient): Promise<Address> {
    await using lock = await this.control.acquire(`billing-checkout:${user.id}`, { timeoutMs: LOCK_MS });
    const account = await this.subscriberOf(user);
    if (lock.signal.aborted) throw busy();
    if (goesOn(account.status)) {
      // One made in the dashboard, say: a page from before it could still be paid.
      await this.provider.closeCheckouts(account.customerId);
      throw new BillingError(
        'ALREADY_SUBSCRIBED',
        'You have a subscription already. See to it, or pay what is open, by GET /billing/portal.',
      );
    }
    const url = await this.provider.checkout({
      customerId: account.customerId,
      userId: user.id,
      // Once: a customer who comes back has tried it.
      trialDays: account.subscriptionId === null ? this.config.billing.trialDays : 0,
      successUrl: `${this.base}/?checkout=done`,
      cancelUrl: `${this.base}/?checkout=cancelled`,
    });
    return { url };
  }

  /** As it is at Stripe now: what was paid a moment ago may not have been told yet. A customer deleted there is made anew. */
  private async subscriberOf(user: Recipient): Promise<BillingAccount & { customerId: string }> {
    const { customerId } = await this.customers.ensure(user);
    const account = await this.updates.refresh(user.id, { cause: 'checkout' });
    return account.customerId === customerId
      ? Object.assign(account, { customerId })
      : this.customers.ensure(user);
  }

  private get base(): string {
    return this.config.http.appUrl ?? this.origins.ownOrigin;
  }
}

function notSubscribed(): BillingError {
  return new BillingError(
    'NOT_SUBSCRIBED',
    'You have no subscription. Begin one by POST /billing/create-checkout.',
  );
}

/** What is under way at Stripe goes on: tried again, it is found there. */
async function withPatience<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const tooLate = wait(PATIENCE_MS, undefined, { signal: timer.signal }).then(() => {
    throw unavailable(new Error('Stripe took too long'));
  });
  work.catch(() => undefined);
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    timer.abort();
  }
}
