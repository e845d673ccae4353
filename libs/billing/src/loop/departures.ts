import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BillingAccounts } from '../accounts/billing-accounts.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { PaymentProvider } from '../provider/payment-provider.js';
import { OneByOne } from './one-by-one.js';

type Departed = { readonly userId: string; readonly number: number } & (
  { readonly customerId: string } | { readonly customerId: null; readonly email: string }
);

/**
 * Lets those go who have deleted their account: nobody pays for what they have left. With the customer at Stripe all of
 * their subscriptions end at once, and what Stripe knew of them goes as well; its invoices stay.
 */
@Injectable()
export class Departures {
  constructor(
    private readonly dataSource: DataSource,
    private readonly provider: PaymentProvider,
    private readonly accounts: BillingAccounts,
    private readonly updates: SubscriptionUpdates,
    private readonly customers: OneByOne,
  ) {}

  /** @throws what the payment provider throws: it is tried again in the next pass */
  async run(signal: AbortSignal): Promise<void> {
    for (const departed of await this.departed()) {
      if (signal.aborted) return;
      await this.customers.run(departed.userId, () => this.letGo(departed));
    }
  }

  private async letGo(departed: Departed): Promise<void> {
    const { userId, number } = departed;
    if (departed.customerId !== null) {
      await this.provider.deleteCustomer(departed.customerId);
      await this.updates.refresh(userId, { cause: 'account_deleted' });
      return;
    }
    // One whose making broke off: it may be there, and knows the address.
    const begun = await this.provider.findCustomer(userId, departed.email);
    if (begun !== null) await this.provider.deleteCustomer(begun);
    await this.accounts.nextCustomer(userId, number, null);
  }

  /** Their accounts know a customer, or the address of one that was to be made, until that is gone. */
  private departed(): Promise<readonly Departed[]> {
    return this.dataSource.query(
      `SELECT a.user_id AS "userId", a.customer_id AS "customerId", a.customer_number AS number,
              a.customer_email AS email
         FROM billing_account a JOIN "user" u ON u.id = a.user_id
        WHERE u.deleted_at IS NOT NULL AND (a.customer_id IS NOT NULL OR a.customer_email IS NOT NULL)
        ORDER BY u.deleted_at`,
    );
  }
}
