import { Injectable } from '@nestjs/common';
import { BillingError, CoreError } from '#common';
import { type BillingAccount, Transactions } from '#database';
import { BillingJournal } from '../journal/billing-journal.js';
import { PaymentProvider } from '../provider/payment-provider.js';
import { unavailable } from '../provider/unavailable.js';
import { BillingAccounts, type Recipient } from './billing-accounts.js';
import { Notices } from './notices.js';

/** Who is who here and at Stripe: one customer there for each user, and never two. */
@Injectable()
export class Customers {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly provider: PaymentProvider,
    private readonly journal: BillingJournal,
    private readonly notices: Notices,
    private readonly transactions: Transactions,
  ) {}

  /** The user's account, with the customer at Stripe, made where there was none. */
  async ensure(user: Recipient): Promise<BillingAccount & { customerId: string }> {
    const account = await this.accounts.ensure(user.id);
    const { customerId } = account;
    if (customerId === null) await this.make(user);
    else if (account.customerEmail !== user.email) await this.describe(user, customerId);
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

  /**
   * One customer, however often this is begun, and wherever it breaks off: what was begun is written down first, and
   * looked for at Stripe before it is asked for one. Those who ask at the same time have the same key.
   */
  private async make(user: Recipient): Promise<void> {
    const customerId = (await this.tryToMake(user)) ?? (await this.tryToMake(user));
    if (customerId === null) throw unavailable(new Error('Stripe repeats its failure to make a customer'));
    await this.link(user.id, customerId, 'checkout');
    await this.describe(user, customerId);
  }

  /** @returns null when the request failed for good: the next one is another one */
  private async tryToMake(user: Recipient): Promise<string | null> {
    const { customerNumber: number, customerEmail: email } = await this.accounts.beginCustomer(user);
    const begun = await this.provider.findCustomer(user.id, email);
    if (begun !== null) return begun;
    try {
      const made = await this.provider.createCustomer(user.id, number, email);
      if (made === null) await this.accounts.nextCustomer(user.id, number, email);
      return made;
    } catch (error) {
      // Refused, for the address maybe, and nothing was made: with the next one it may be taken.
      if (error instanceof BillingError && error.code === 'PAYMENT_PROVIDER_FAILED')
        await this.accounts.nextCustomer(user.id, number, null);
      throw error;
    }
  }

  private async link(userId: string, customerId: string, cause: string): Promise<void> {
    await this.transactions.run(async () => {
      if (await this.accounts.link(userId, customerId)) {
        const detail = { customer: customerId };
        await this.journal.note({ userId, step: 'customer_created', cause, detail });
        return;
      }
      const known = (await this.accounts.find(userId))?.customerId ?? null;
      if (known !== null && known !== customerId)
        await this.notices.ofSecondCustomer(userId, known, customerId, cause);
    });
  }

  /** Receipts go to the address that the account has now. */
  private async describe(user: Recipient, customerId: string): Promise<void> {
    if (await this.provider.describeCustomer(customerId, user.email, user.name))
      await this.accounts.update(user.id, { customerEmail: user.email });
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
