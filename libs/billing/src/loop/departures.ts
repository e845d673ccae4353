import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { PaymentProvider } from '../provider/payment-provider.js';
import { OneByOne } from './one-by-one.js';

/**
 * Lets those go who have deleted their account: nobody pays for what they have left. With the customer at Stripe all of
 * their subscriptions end at once, and what Stripe knew of them goes as well; its invoices stay.
 */
@Injectable()
export class Departures {
  constructor(
    private readonly dataSource: DataSource,
    private readonly provider: PaymentProvider,
    private readonly updates: SubscriptionUpdates,
    private readonly customers: OneByOne,
  ) {}

  /** @throws what the payment provider throws: it is tried again in the next pass */
  async run(signal: AbortSignal): Promise<void> {
    for (const { userId, customerId } of await this.departed()) {
      if (signal.aborted) return;
      await this.customers.run(userId, async () => {
        await this.provider.deleteCustomer(customerId);
        await this.updates.refresh(userId, { cause: 'account_deleted' });
      });
    }
  }

  /** Their accounts know a customer until that is gone. */
  private departed(): Promise<readonly { readonly userId: string; readonly customerId: string }[]> {
    return this.dataSource.query(
      `SELECT a.user_id AS "userId", a.customer_id AS "customerId"
         FROM billing_account a JOIN "user" u ON u.id = a.user_id
        WHERE u.deleted_at IS NOT NULL AND a.customer_id IS NOT NULL
        ORDER BY u.deleted_at`,
    );
  }
}
