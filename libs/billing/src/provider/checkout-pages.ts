import { createHash } from 'node:crypto';
import { Stripe } from 'stripe';
import type { BillingConfig, StripeConfig } from '#config';
import { busy } from '../busy.js';
import type { CheckoutRequest } from './payment-provider.js';
import { USER_KEY } from './subscription-of.js';

/** The key of metadata that says what a page offers: price, trial, tax and all. */
const OFFER_KEY = 'sluice_offer';
const MOST = 100;

/** What of it is configured for all customers alike. */
export type CheckoutOptions = Pick<StripeConfig, 'priceId'> &
  Pick<BillingConfig, 'promotionCodes' | 'automaticTax'>;

/** A page that can be paid. */
export interface OpenPage {
  readonly id: string;
  readonly url: string;
}

/** The pages where customers subscribe. Of one customer one is open at the most: two could both be paid. */
export class CheckoutPages {
  constructor(
    private readonly stripe: Stripe,
    private readonly options: CheckoutOptions,
  ) {}

  /**
   * The address of the page that offers just this: the one that is open, or a new one, and no other stays open. The
   * others are looked for once the new one is there, so that of two requests that know nothing of each other the later
   * one closes the page of the earlier.
   * @param signal aborted when nobody waits any more, and the next one may be at it: then a page that was made here is
   * closed, and no other
   * @throws BillingError BILLING_BUSY when one of the others has just been paid
   */
  async open(request: CheckoutRequest, signal: AbortSignal): Promise<OpenPage> {
    const { customerId } = request;
    const params = this.paramsOf(request);
    const earlier = await this.openPages(customerId);
    const same = earlier.find(({ metadata }) => metadata?.[OFFER_KEY] === params.metadata[OFFER_KEY]);
    signal.throwIfAborted();
    const page = same ?? (await this.stripe.checkout.sessions.create(params));
    try {
      const meanwhile = same === undefined ? await this.openPages(customerId) : [];
      const others = new Set([...earlier, ...meanwhile].map(({ id }) => id));
      others.delete(page.id);
      await this.closeOthers(others, page.id, signal);
    } catch (error) {
      if (signal.aborted && same === undefined) await this.close(page.id);
      throw error;
    }
    if (page.url === null) throw new Error('Stripe gave a checkout without an address');
    return { id: page.id, url: page.url };
  }

  /** None stays open: there is nothing more to pay for. */
  async closeAll(customerId: string): Promise<void> {
    for (const { id } of await this.openPages(customerId)) await this.close(id);
  }

  /** @returns false when it was paid before */
  async close(id: string): Promise<boolean> {
    try {
      await this.stripe.checkout.sessions.expire(id);
      return true;
    } catch (error) {
      // It is not open any more: somebody paid, or it was closed already.
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
      return (await this.stripe.checkout.sessions.retrieve(id)).status !== 'complete';
    }
  }

  private async closeOthers(others: ReadonlySet<string>, own: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const other of others) {
      if (!(await this.close(other))) {
        await this.close(own);
        throw busy();
      }
      signal.throwIfAborted();
    }
  }

  private async openPages(customer: string): Promise<Stripe.Checkout.Session[]> {
    const { data } = await this.stripe.checkout.sessions.list({ customer, status: 'open', limit: MOST });
    return data;
  }

  private paramsOf(request: CheckoutRequest) {
    const { customerId, userId, trialDays, successUrl, cancelUrl } = request;
    const { priceId, promotionCodes, automaticTax } = this.options;
    const params = {
      mode: 'subscription',
      customer: customerId,
      client_reference_id: userId,
      line_items: [{ price: priceId, quantity: 1 }],
      success_url: successUrl,
      cancel_url: cancelUrl,
      allow_promotion_codes: promotionCodes,
      subscription_data: {
        metadata: { [USER_KEY]: userId },
        ...(trialDays === 0 ? {} : { trial_period_days: trialDays }),
      },
      // Tax depends on the address, which is asked for at the checkout then, and kept.
      ...(automaticTax
        ? { automatic_tax: { enabled: true }, customer_update: { address: 'auto', name: 'auto' } }
        : {}),
    } satisfies Stripe.Checkout.SessionCreateParams;
    const offer = createHash('sha256').update(JSON.stringify(params)).digest('base64url');
    return { ...params, metadata: { [USER_KEY]: userId, [OFFER_KEY]: offer } };
  }
}
