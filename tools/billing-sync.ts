import { parseArgs } from 'node:util';
import { BillingSync, BillingToolsModule } from '#billing';
import { AppConfig } from '#config';
import { MailModule } from '#mail';
import { UsageError, withAccounts } from './lib/with-accounts.ts';

/*
 * Compares all subscriptions with those at Stripe now, and makes good what differs: `npm run billing:sync`. One that was
 * broken off, here or in the night, goes on where it ended. What is due by that, mails and stops, the gateway does.
 */
await withAccounts(
  parameters,
  async (accounts) => {
    if (accounts.get(AppConfig).billing.stripe === null)
      throw new UsageError(
        'Billing is off: set STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and STRIPE_PRICE_ID.',
      );
    const { compared, repaired, skipped } = await accounts.get(BillingSync).runNow();
    console.log(`${compared} subscriptions were compared; ${repaired} were read anew.`);
    if (skipped > 0) console.log(`${skipped} could not be read.`);
  },
  (config) => [MailModule.forRoot(config), BillingToolsModule],
);

function parameters(): void {
  parseArgs({ options: {} });
}
