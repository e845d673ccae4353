import { setTimeout as wait } from 'node:timers/promises';
import { Stripe } from 'stripe';
import { BillingError } from '#common';
import type { BillingConfig, StripeConfig } from '#config';
import { goesOn } from '../entitlement/entitlement.js';
import { busy } from '../busy.js';
import { CheckoutPages } from './checkout-pages.js';
import { eventOf } from './event-of.js';
import {
  type CheckoutRequest,
  type CustomerReading,
  type OpenInvoice,
  PaymentProvider,
  type ProviderEvent,
  type ProviderSubscription,
  type SubscriptionPage,
} from './payment-provider.js';
import { failureOf, isMissing, isReplayedFailure } from './stripe-failure.js';
import { stripeHttp } from './stripe-http.js';
import { dateOf, readAll, subscriptionOf, theOneThatCounts, USER_KEY } from './subscription-of.js';
import { unavailable } from './unavailable.js';

/** Of the types that this was written against: another version may say the same in other fields. */
const API_VERSION = '2026-10-28.endive';

/** Of silence on the connection; Stripe mostly answers within half a second. */
const SILENCE_MS = 3500;
/** Of a call with its second try, also where an answer drips in. */
const CALL_MS = 8000;
const TOLERANCE_SECONDS = 300;
const PAGE = 100;

const INSTALLATION_KEY = 'sluice_installation';

/** Stripe, by its own SDK. */
export class StripePayments extends PaymentProvider {
  private readonly stripe: Stripe;
  private readonly pages: CheckoutPages;

  /**
   * @param installation tells this installation's customers from those of another one on the same Stripe account
   * @param callMs after which a call is given up
   */
  constructor(
    private readonly config: StripeConfig,
    options: Pick<BillingConfig, 'promotionCodes' | 'automaticTax'>,
    private readonly installation: string,
    private readonly callMs = CALL_MS,
  ) {
    super();
    this.stripe = new Stripe(config.secretKey, {
      apiVersion: API_VERSION,
      maxNetworkRetries: 1,
      timeout: SILENCE_MS,
      telemetry: false,
      httpClient: stripeHttp(),
      ...baseOf(config.apiBase),
    });
    this.pages = new CheckoutPages(this.stripe, { ...options, priceId: config.priceId });
  }

  /** A list is as new as the last request, which Stripe's search is not. */
  override findCustomer(userId: string, email: string): Promise<string | null> {
    return this.call(async () => {
      for await (const { id, metadata } of this.stripe.customers.list({ email, limit: PAGE }))
        if (metadata[USER_KEY] === userId && metadata[INSTALLATION_KEY] === this.installation) return id;
      return null;
    });
  }

  override createCustomer(userId: string, number: number, email: string): Promise<string | null> {
    return this.call(async () => {
      const metadata = { [USER_KEY]: userId, [INSTALLATION_KEY]: this.installation };
      const idempotencyKey = `sluice-${this.installation}-customer-${userId}-${number}`;
      try {
        return (await this.stripe.customers.create({ email, metadata }, { idempotencyKey })).id;
      } catch (error) {
        if (isReplayedFailure(error)) return null;
        throw error;
      }
    });
  }

  override describeCustomer(customerId: string, email: string, name: string | null): Promise<boolean> {
    return this.call(() =>
      this.stripe.customers.update(customerId, { email, ...(name === null ? {} : { name }) }).then(
        () => true,
        (error: unknown) => {
          if (isMissing(error)) return false;
          throw error;
        },
      ),
    );
  }

  override deleteCustomer(customerId: string): Promise<void> {
    return this.call(async () => {
      await this.stripe.customers.del(customerId).catch(nullIfMissing);
    });
  }

  override userOfCustomer(customerId: string): Promise<string | null> {
    return this.call(async () => {
      const customer = await this.stripe.customers.retrieve(customerId).catch(nullIfMissing);
      if (customer === null || customer.deleted === true) return null;
      return customer.metadata[USER_KEY] ?? null;
    });
  }

  override customerOfCharge(chargeId: string): Promise<string | null> {
    return this.call(async () => {
      const charge = await this.stripe.charges.retrieve(chargeId).catch(nullIfMissing);
      const customer = charge?.customer ?? null;
      return typeof customer === 'string' || customer === null ? customer : customer.id;
    });
  }

  override openInvoice(invoiceId: string): Promise<OpenInvoice | null> {
    return this.call(async () => {
      const invoice = await this.stripe.invoices.retrieve(invoiceId).catch(nullIfMissing);
      return invoice?.status === 'open' ? openInvoiceOf(invoice) : null;
    });
  }

  override read(customerId: string): Promise<CustomerReading> {
    return this.call(async () => {
      const all = await this.subscriptionsOf(customerId);
      const subscription = all === null ? null : theOneThatCounts(all);
      // Of a customer who was deleted nothing goes on; that they were, only the customer tells.
      const mayBeGone = subscription === null || !goesOn(subscription.status);
      if (mayBeGone && (await this.isGone(customerId))) return { kind: 'gone', subscription };
      const openInvoice =
        subscription?.status === 'past_due' ? await this.oldestOpenInvoice(subscription.id) : null;
      const second = all === null ? [] : all.filter((each) => each !== subscription && goesOn(each.status));
      return { kind: 'customer', subscription, openInvoice, second: second.map(({ id }) => id) };
    });
  }

  override checkout(request: CheckoutRequest): Promise<string> {
    return this.call(async (signal) => {
      const { id, url } = await this.pages.open(request, signal);
      // Whoever has paid another page since they were last asked about: that page is in no list of open ones.
      const all = (await this.subscriptionsOf(request.customerId)) ?? [];
      if (!all.some(({ status }) => goesOn(status))) return url;
      await this.pages.close(id);
      throw busy();
    });
  }

  override closeCheckouts(customerId: string): Promise<void> {
    return this.call(() => this.pages.closeAll(customerId));
  }

  override portal(customerId: string, returnUrl: string): Promise<string | null> {
    return this.call(async () => {
      const page = { customer: customerId, return_url: returnUrl };
      const session = await this.stripe.billingPortal.sessions.create(page).catch(nullIfMissing);
      return session?.url ?? null;
    });
  }

  override subscriptions(after: string | null): Promise<SubscriptionPage> {
    return this.call(async () => {
      const page = { status: 'all', limit: PAGE } as const;
      const { data, has_more: more } = await this.stripe.subscriptions
        .list(after === null ? page : { ...page, starting_after: after })
        // The one where it went on is not there any more: from the first, then.
        .catch((error: unknown) => {
          if (!isMissing(error, 'starting_after')) throw error;
          return this.stripe.subscriptions.list(page);
        });
      return { ...readAll(data), cursor: more ? (data.at(-1)?.id ?? null) : null };
    });
  }

  override eventOf(body: Buffer, signature: string | undefined, nowMs: number): ProviderEvent {
    try {
      const event = this.stripe.webhooks.constructEvent(
        body,
        signature ?? '',
        this.config.webhookSecret,
        TOLERANCE_SECONDS,
        undefined,
        nowMs,
      );
      return eventOf(event);
    } catch (cause) {
      const message =
        cause instanceof Stripe.errors.StripeSignatureVerificationError
          ? 'The signature is missing or not right for this body, or the delivery is older than five minutes. Check STRIPE_WEBHOOK_SECRET.'
          : 'The body is signed, but is no event of Stripe.';
      throw new BillingError('WEBHOOK_REJECTED', message, {
        cause: new Error(cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : 'unknown'),
      });
    }
  }

  /** Null when there is no such customer. */
  private async subscriptionsOf(customer: string): Promise<ProviderSubscription[] | null> {
    try {
      const all = await this.stripe.subscriptions
        .list({ customer, status: 'all', limit: PAGE })
        .autoPagingToArray({ limit: 10_000 });
      return all.map(subscriptionOf);
    } catch (error) {
      if (isMissing(error, 'customer')) return null;
      throw error;
    }
  }

  /**
   * Whether a customer was deleted, which Stripe remembers. One that it has never heard of is another account's, or of
   * the test mode: then the key is wrong, and nothing is made of it.
   */
  private async isGone(customerId: string): Promise<boolean> {
    const customer = await this.stripe.customers.retrieve(customerId).catch(nullIfMissing);
    if (customer === null)
      throw new BillingError(
        'PAYMENT_PROVIDER_FAILED',
        `Stripe does not know ${customerId}: is the key right?`,
      );
    return customer.deleted === true;
  }

  /**
   * The oldest invoice of those that have not been paid since the last one that was. One from long ago that nobody paid
   * says nothing of today: Stripe takes a subscription for active again once its latest invoice is paid.
   */
  private async oldestOpenInvoice(subscription: string): Promise<OpenInvoice | null> {
    let oldest: Stripe.Invoice | null = null;
    for await (const invoice of this.stripe.invoices.list({ subscription, limit: PAGE })) {
      if (invoice.status === 'paid') break;

      if (invoice.status === 'open') oldest = invoice;
    }
    return oldest === null ? null : openInvoiceOf(oldest);
  }

  /** @param work may go on when the call was given up: its signal is aborted then */
  private async call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timer = new AbortController();
    const given = new AbortController();
    const tooLate = wait(this.callMs, undefined, { signal: timer.signal }).then(() => {
      const error = unavailable(new Error('Stripe took too long'));
      given.abort(error);
      throw error;
    });
    tooLate.catch(() => undefined);
    try {
      return await Promise.race([work(given.signal), tooLate]);
    } catch (error) {
      throw failureOf(error);
    } finally {
      timer.abort();
    }
  }
}

function openInvoiceOf(invoice: Stripe.Invoice): OpenInvoice {
  const { id, created, status_transitions: transitions, hosted_invoice_url: url } = invoice;
  const dueSince = dateOf(transitions.finalized_at) ?? new Date(created * 1000);
  return { id, dueSince, url: url ?? null };
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function baseOf(apiBase: string | null) {
  if (apiBase === null) return {};
  const { protocol, hostname, port } = new URL(apiBase);
  return {
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    ...(port === '' ? {} : { port }),
  } as const;
}
