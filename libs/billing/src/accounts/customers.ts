import { Injectable } from '@nestjs/common';
import { CoreError } from '#common';
import { type BillingAccount, Transactions } from '#database';
import { BillingJournal } from '../journal/billing-journal.js';
import { PaymentProvider } from '../provider/payment-provider.js';
import { BillingAccounts, type Recipient } from './billing-accounts.js';

/** Who is who here and at Stripe: one customer there for each user, and never two. */
@Injectable()
export class Customers {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly provider: PaymentProvider,
    private readonly journal: BillingJournal,
    private readonly transactions: Transactions,
  ) {}

  /**
   * The user's account, with the customer at Stripe, made where there was none. Called at the same time by whomever,
   * and again after a crash, Stripe makes one: the key of the request is the user's. Stripe keeps keys for a day; after a
   * crash between its answer and our row, whoever comes back later than that has a second customer, without anything.
   */
  async ensure(user: Recipient): Promise<BillingAccount & { customerId: string }> {
    const account = await this.accounts.ensure(user.id);
    const customerId =
      account.customerId ?? (await this.provider.createCustomer(user.id, account.customerNumber));
    if (account.customerId === null) await this.link(user.id, customerId, 'checkout');
    await this.describe(user, customerId, account.customerEmail);
    const latest = await this.accounts.find(user.id);
    if (latest === null || latest.customerId === null)
      throw new CoreError('CONFLICT', 'Your account has changed meanwhile. Please try again.');
    return Object.assign(latest, { customerId: latest.customerId });
  }

  /**
   * Whose customer it is. One that is not known here is asked whom it was made for: its row may have been lost with a
   * gateway that was killed, or with a backup.
   */
  async userOf(customerId: string): Promise<string | null> {
    const account = await this.accounts.findByCustomer(customerId);
    if (account !== null) return account.userId;
    const userId = await this.provider.userOfCustomer(customerId);
    if (userId === null || !UUID.test(userId)) return null;
    if ((await this.accounts.recipient(userId)) === null) return null;
    await this.accounts.ensure(userId);
    await this.link(userId, customerId, 'metadata');
    return userId;
  }

  private async link(userId: string, customerId: string, cause: string): Promise<void> {
    await this.transactions.run(async () => {
      if (await this.accounts.link(userId, customerId))
        await this.journal.note({
          userId,
          step: 'customer_created',
          cause,
          detail: { customer: customerId },
        });
    });
  }

  /** Receipts go to the address that the account has now. */
  private async describe(user: Recipient, customerId: string, known: string | null): Promise<void> {
    if (known === user.email) return;
    if (await this.provider.describeCustomer(customerId, user.email, user.name))
      await this.accounts.update(user.id, { customerEmail: user.email });
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
