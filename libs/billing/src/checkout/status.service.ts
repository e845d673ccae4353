import { Injectable } from '@nestjs/common';
import { type CustomerSubscription, SubscriptionReader } from '#auth';
import { AppConfig } from '#config';
import type { BillingAccount } from '#database';
import { BillingAccounts } from '../accounts/billing-accounts.js';
import { Consequences } from '../accounts/consequences.js';
import { NEVER_SUBSCRIBED } from '../entitlement/entitlement.js';
import type { BillingStatus } from './schemas.js';

/** What customers see of their own subscription, and operators of each one's. */
@Injectable()
export class StatusService extends SubscriptionReader {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly consequences: Consequences,
    private readonly config: AppConfig,
  ) {
    super();
  }

  async statusOf(userId: string): Promise<BillingStatus> {
    const enabled = this.config.billing.stripe !== null;
    const account = enabled ? await this.accounts.find(userId) : null;
    return { enabled, ...this.view(account) };
  }

  override async subscriptionOf(userId: string): Promise<CustomerSubscription | null> {
    return (await this.subscriptionsOf([userId])).get(userId) ?? null;
  }

  override async subscriptionsOf(
    userIds: readonly string[],
  ): Promise<ReadonlyMap<string, CustomerSubscription>> {
    if (this.config.billing.stripe === null || userIds.length === 0) return new Map();
    const accounts = await this.accounts.findByUsers(userIds);
    return new Map(
      accounts.filter(({ status }) => status !== 'none').map((each) => [each.userId, this.view(each)]),
    );
  }

  private view(account: BillingAccount | null): CustomerSubscription {
    const { entitled } = this.consequences.entitlement(account ?? NEVER_SUBSCRIBED);
    return {
      status: account?.status ?? 'none',
      entitled,
      priceId: account?.priceId ?? null,
      currentPeriodEnd: account?.currentPeriodEnd?.toISOString() ?? null,
      cancelAtPeriodEnd: account?.cancelAtPeriodEnd ?? false,
      trialEnd: account?.trialEnd?.toISOString() ?? null,
    };
  }
}
