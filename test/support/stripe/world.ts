import { randomBytes } from 'node:crypto';
import {
  customerObject,
  invoiceObject,
  sessionObject,
  type StandInCharge,
  type StandInCustomer,
  type StandInInvoice,
  type StandInSession,
  type StandInSubscription,
  subscriptionObject,
} from './objects.js';
import { missing } from './params.js';

export const PRICE = 'price_monthly';
export const API_VERSION = '2026-10-28.endive';
const MONTH_SECONDS = 30 * 24 * 3600;

/** An event that is to be delivered, as the text that is signed. */
export interface StandInEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: string;
}

/** What there is at Stripe, and what can happen there. Tests move it by methods; whatever moves makes its events. */
export class StripeWorld {
  readonly customers = new Map<string, StandInCustomer>();
  readonly subscriptions = new Map<string, StandInSubscription>();
  readonly invoices = new Map<string, StandInInvoice>();
  readonly sessions = new Map<string, StandInSession>();
  readonly charges = new Map<string, StandInCharge>();
  /** What has happened, oldest first. */
  readonly events: StandInEvent[] = [];
  private counter = 0;

  constructor(readonly nowMs: () => number) {}

  /** A customer that was made for a user of Sluice. */
  addCustomer(userId: string | null): StandInCustomer {
    return this.createCustomer(userId === null ? {} : { metadata: { sluice_user: userId } });
  }

  createCustomer(given: Partial<Pick<StandInCustomer, 'email' | 'name' | 'metadata'>>): StandInCustomer {
    const { email = null, name = null, metadata = {} } = given;
    const customer = { id: this.nextId('cus'), email, name, metadata, deleted: false };
    this.customers.set(customer.id, customer);
    return customer;
  }

  /** @throws StripeFault when there never was one */
  customer(id: string, param: string): StandInCustomer {
    const customer = this.customers.get(id);
    if (customer === undefined) throw missing('customer', id, param);
    return customer;
  }

  /** @throws StripeFault when there is none, or it was deleted */
  livingCustomer(id: string, param: string): StandInCustomer {
    const customer = this.customer(id, param);
    if (customer.deleted) throw missing('customer', id, param);
    return customer;
  }

  /** The customer pays at the page that the checkout led to. */
  completeCheckout(url: string): StandInSubscription {
    const session = [...this.sessions.values()].find((each) => each.url === url);
    if (session === undefined || session.status !== 'open') throw new Error(`no open checkout at ${url}`);
    session.status = 'complete';
    const subscription = this.subscribe(session.customer, {
      status: session.trialDays === null ? 'active' : 'trialing',
      metadata: session.subscriptionMetadata,
      ...(session.trialDays === null ? {} : { trialEnd: this.now() + session.trialDays * 86_400 }),
    });
    this.emit('checkout.session.completed', sessionObject(session));
    return subscription;
  }

  subscribe(customer: string, given: Partial<StandInSubscription> = {}): StandInSubscription {
    const subscription: StandInSubscription = {
      id: this.nextId('sub'),
      customer,
      status: 'active',
      created: this.now(),
      periodEnd: this.now() + MONTH_SECONDS,
      cancelAtPeriodEnd: false,
      trialEnd: null,
      endedAt: null,
      metadata: {},
      price: PRICE,
      ...given,
    };
    this.subscriptions.set(subscription.id, subscription);
    this.emit('customer.subscription.created', subscriptionObject(subscription));
    if (subscription.status === 'active') this.emit('invoice.paid', this.addInvoice(subscription, 'paid'));
    return subscription;
  }

  /** Changes a subscription in any way, as the dashboard could. */
  change(subscription: StandInSubscription, change: Partial<StandInSubscription>): void {
    Object.assign(subscription, change);
    this.emit('customer.subscription.updated', subscriptionObject(subscription));
  }

  /** A renewal that is not paid. */
  failPayment(subscription: StandInSubscription): void {
    const invoice = this.addInvoice(subscription, 'open');
    this.emit('invoice.payment_failed', invoice);
    this.change(subscription, { status: 'past_due' });
  }

  /** Everything that is open is paid, or the latest alone, which is enough for Stripe. */
  pay(subscription: StandInSubscription, which: 'all' | 'latest' = 'all'): void {
    const open = [...this.invoices.values()].filter(
      ({ subscription: id, status }) => id === subscription.id && status === 'open',
    );
    for (const invoice of which === 'all' ? open : open.slice(-1)) {
      invoice.status = 'paid';
      this.emit('invoice.paid', invoiceObject(invoice));
    }
    this.change(subscription, { status: 'active', periodEnd: this.now() + MONTH_SECONDS });
  }

  cancel(subscription: StandInSubscription): void {
    Object.assign(subscription, { status: 'canceled', endedAt: this.now() });
    this.emit('customer.subscription.deleted', subscriptionObject(subscription));
  }

  deleteCustomer(id: string): void {
    const customer = this.customers.get(id);
    if (customer === undefined) throw new Error(`no customer ${id}`);
    customer.deleted = true;
    for (const subscription of this.subscriptions.values())
      if (subscription.customer === id && subscription.endedAt === null) this.cancel(subscription);
    this.emit('customer.deleted', customerObject(customer));
  }

  dispute(customer: string): StandInEvent {
    const charge = { id: this.nextId('ch'), customer };
    this.charges.set(charge.id, charge);
    return this.emit('charge.dispute.created', {
      id: this.nextId('dp'),
      object: 'dispute',
      charge: charge.id,
    });
  }

  addInvoice({ id, customer }: StandInSubscription, status: StandInInvoice['status']): object {
    const invoice = { id: this.nextId('in'), customer, subscription: id, status, created: this.now() };
    this.invoices.set(invoice.id, invoice);
    return invoiceObject(invoice);
  }

  /** Makes an event. */
  emit(type: string, object: object): StandInEvent {
    const id = this.nextId('evt');
    const event = {
      id,
      object: 'event',
      api_version: API_VERSION,
      created: this.now(),
      data: { object },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    };
    const made = { id, type, payload: JSON.stringify(event, null, 2) };
    this.events.push(made);
    return made;
  }

  /** Stripe counts seconds. */
  now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** Ids do not tell the order; objects of one second are listed latest first all the same. */
  nextId(prefix: string): string {
    this.counter += 1;
    return `${prefix}_${randomBytes(6).toString('hex')}${this.counter}`;
  }
}
