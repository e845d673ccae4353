import { Injectable } from '@nestjs/common';
import { type BillingRecord, BillingRecords } from '#auth';
import { BillingStep, Transactions } from '#database';
import { BillingAccounts } from './billing-accounts.js';

/** More than anybody's account has. */
const LATEST = 1000;

/** What billing keeps of a customer, for the copy of their data. */
@Injectable()
export class AccountRecords extends BillingRecords {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly transactions: Transactions,
  ) {
    super();
  }

  override async recordOf(userId: string): Promise<BillingRecord | null> {
    const account = await this.accounts.find(userId);
    if (account === null) return null;
    const steps = await this.transactions.manager.find(BillingStep, {
      where: { userId },
      order: { id: 'DESC' },
      take: LATEST,
    });
    return {
      customerId: account.customerId,
      customerEmail: account.customerEmail,
      subscriptionId: account.subscriptionId,
      status: account.status,
      statusSince: timeOf(account.statusSince),
      priceId: account.priceId,
      currentPeriodEnd: timeOf(account.currentPeriodEnd),
      cancelAt: timeOf(account.cancelAt),
      cancelAtPeriodEnd: account.cancelAtPeriodEnd,
      trialEnd: timeOf(account.trialEnd),
      pastDueSince: timeOf(account.pastDueSince),
      endedAt: timeOf(account.endedAt),
      steps: steps.map(({ at, step, detail }) => ({ at: at.toISOString(), step, detail })),
    };
  }
}

function timeOf(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
