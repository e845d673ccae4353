import { Injectable } from '@nestjs/common';
import { Clock, Metrics } from '#common';
import { type SubscriptionStatus, Transactions } from '#database';
import { BillingEvents } from '../accounts/billing-events.js';
import { Customers } from '../accounts/customers.js';
import { Notices } from '../accounts/notices.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import type { Received } from '../checkout/schemas.js';
import { BillingJournal } from '../journal/billing-journal.js';
import { goesOn } from '../entitlement/entitlement.js';
import { type OpenInvoice, PaymentProvider, type ProviderEvent } from '../provider/payment-provider.js';
import type { Delivery } from './delivery.js';

const RECEIVED: Received = { received: true };

/** After these a customer's subscription may be another one. */
const ABOUT_SUBSCRIPTIONS: ReadonlySet<string> = new Set([
  'checkout.session.completed',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'customer.deleted',
]);
const SUBSCRIPTION_PREFIX = 'customer.subscription.';

/**
 * Takes what Stripe tells. An event is only ever the reason to read the subscription anew, so that it does not matter in
 * which order events come, or how late. Whatever fails is answered with 5xx, nothing of it stays, and Stripe comes again.
 */
@Injectable()
export class WebhookService {
  constructor(
    private readonly provider: PaymentProvider,
    private readonly events: BillingEvents,
    private readonly customers: Customers,
    private readonly updates: SubscriptionUpdates,
    private readonly notices: Notices,
    private readonly journal: BillingJournal,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets an event take effect, once.
   * @throws BillingError BILLING_DISABLED, WEBHOOK_REJECTED, PAYMENT_PROVIDER_UNAVAILABLE, BILLING_BUSY
   */
  async take({ body, signature }: Delivery): Promise<Received> {
    const event = this.provider.eventOf(body, signature, this.clock.nowMs());
    // Before anything else is asked for: most repetitions come after the first was taken.
    if (await this.events.wasTaken(event.id)) return RECEIVED;
    if (event.type === 'charge.dispute.created') await this.takeDispute(event);
    else if (isAboutSubscription(event)) await this.takeChange(event);
    else await this.transactions.run(() => this.events.take(event));
    this.metrics.webhookLag.observe(Math.max(0, this.clock.nowMs() - event.createdAt.getTime()) / 1000);
    return RECEIVED;
  }

  private async takeChange(event: ProviderEvent): Promise<void> {
    const userId = event.customerId === null ? null : await this.customers.userOf(event.customerId);
    if (userId === null) {
      // Somebody else's customer: the Stripe account may sell more than this.
      await this.transactions.run(() => this.events.take(event));
      return;
    }
    const waiting = await this.waitingInvoice(event);
    await this.updates.refresh(userId, {
      cause: event.id,
      first: () => this.events.take(event),
      last: async (account) => {
        if (waiting !== null && waits(account.status))
          await this.notices.ofAction(account, waiting.id, waiting.url, event.id);
      },
    });
  }

  /** Whoever has confirmed the payment by now is not asked to. The subscription says too little: it may be `active`. */
  private async waitingInvoice({ type, objectId }: ProviderEvent): Promise<OpenInvoice | null> {
    if (type !== 'invoice.payment_action_required' || objectId === null) return null;
    return this.provider.openInvoice(objectId);
  }

  /** Who is right the bank decides; until then the subscription stands. */
  private async takeDispute(event: ProviderEvent): Promise<void> {
    const { id, chargeId } = event;
    const customerId = chargeId === null ? null : await this.provider.customerOfCharge(chargeId);
    const userId = customerId === null ? null : await this.customers.userOf(customerId);
    const disputeId = event.objectId ?? id;
    await this.transactions.run(async () => {
      if (!(await this.events.take(event))) return;
      const detail = { dispute: disputeId, charge: chargeId };
      await this.journal.note({ userId, step: 'dispute_opened', cause: id, detail });
      await this.notices.ofDispute(disputeId, userId);
    });
  }
}

/** Of one that has ended nothing is to be confirmed. */
function waits(status: SubscriptionStatus): boolean {
  return goesOn(status) || status === 'incomplete';
}

function isAboutSubscription({ type }: ProviderEvent): boolean {
  return ABOUT_SUBSCRIPTIONS.has(type) || type.startsWith(SUBSCRIPTION_PREFIX);
}
