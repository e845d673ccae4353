import { Global, Module, type Provider } from '@nestjs/common';
import { BillingRecords, SubscriptionReader } from '#auth';
import { SubscriptionFigures } from '#common';
import { AppConfig } from '#config';
import { InstallationId } from '#orchestrator';
import { CustomerAccess } from '#proxy';
import { AccountFigures } from './accounts/account-figures.js';
import { AccountRecords } from './accounts/account-records.js';
import { BillingAccounts } from './accounts/billing-accounts.js';
import { BillingEvents } from './accounts/billing-events.js';
import { Consequences } from './accounts/consequences.js';
import { Customers } from './accounts/customers.js';
import { Notices } from './accounts/notices.js';
import { SubscriptionUpdates } from './accounts/subscription-updates.js';
import { BillingController } from './billing.controller.js';
import { CheckoutService } from './checkout/checkout.service.js';
import { PageThrottle } from './checkout/page-throttle.js';
import { PaidAccess } from './checkout/paid-access.js';
import { StatusService } from './checkout/status.service.js';
import { BillingJournal } from './journal/billing-journal.js';
import { PostgresJournal } from './journal/postgres-journal.js';
import { BillingLoop } from './loop/billing-loop.js';
import { Departures } from './loop/departures.js';
import { DueSteps } from './loop/due-steps.js';
import { OneByOne } from './loop/one-by-one.js';
import { Sweep } from './loop/sweep.js';
import { NoProvider } from './provider/no-provider.js';
import { PaymentProvider } from './provider/payment-provider.js';
import { BillingSync } from './sync/billing-sync.js';
import { WebhookService } from './webhook/webhook.service.js';

/** What reads subscriptions and lets them take effect; the server and the operator's programs share it. */
export const subscriptions: Provider[] = [
  { provide: PaymentProvider, inject: [AppConfig, InstallationId], useFactory: paymentProvider },
  { provide: BillingJournal, useClass: PostgresJournal },
  BillingAccounts,
  BillingEvents,
  Notices,
  Consequences,
  SubscriptionUpdates,
  Customers,
  BillingSync,
];

/** Subscriptions by Stripe. Global, because it provides what #auth and #proxy ask for. */
@Global()
@Module({
  controllers: [BillingController],
  providers: [
    ...subscriptions,
    CheckoutService,
    PageThrottle,
    StatusService,
    { provide: SubscriptionReader, useExisting: StatusService },
    { provide: BillingRecords, useClass: AccountRecords },
    { provide: CustomerAccess, useClass: PaidAccess },
    { provide: SubscriptionFigures, useClass: AccountFigures },
    WebhookService,
    OneByOne,
    Departures,
    DueSteps,
    Sweep,
    BillingLoop,
  ],
  exports: [SubscriptionReader, BillingRecords, CustomerAccess, SubscriptionFigures],
})
export class BillingModule {}

/** Stripe's SDK is loaded where there is a key for it: it is two hundred files, at every start. */
async function paymentProvider({ billing }: AppConfig, { value }: InstallationId): Promise<PaymentProvider> {
  if (billing.stripe === null) return new NoProvider();
  const { StripePayments } = await import('./provider/stripe-payments.js');
  return new StripePayments(billing.stripe, billing, value);
}
