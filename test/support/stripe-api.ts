import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Stripe } from 'stripe';
import { invalid, type Params, paramsOf, type Rule, StripeFault, checkParams } from './stripe-params.js';

export const STRIPE_KEY = 'sk_test_of_the_stand_in';
export const WEBHOOK_SECRET = 'whsec_of_the_stand_in';
export const PRICE = 'price_monthly';
const API_VERSION = '2026-10-28.endive';
const MONTH_SECONDS = 30 * 24 * 3600;
const LONG_MS = 30_000;

/** How it answers: as Stripe should, or as it does on a bad day. */
export type Weather = 'fine' | 'down' | 'slow' | 'dripping' | 'limiting' | 'failing';

export interface StandInCustomer {
  id: string;
  email: string | null;
  name: string | null;
  metadata: Record<string, string>;
  deleted: boolean;
}

export interface StandInSubscription {
  id: string;
  customer: string;
  status: string;
  created: number;
  periodEnd: number;
  cancelAtPeriodEnd: boolean;
  trialEnd: number | null;
  endedAt: number | null;
  metadata: Record<string, string>;
  price: string;
}

export interface StandInInvoice {
  id: string;
  customer: string;
  subscription: string;
  status: 'open' | 'paid' | 'void';
  created: number;
}

export interface StandInSession {
  id: string;
  customer: string;
  status: 'open' | 'complete' | 'expired';
  url: string;
  metadata: Record<string, string>;
  subscriptionMetadata: Record<string, string>;
  trialDays: number | null;
  params: Params;
}

/** An event that is to be delivered, as the text that is signed. */
export interface StandInEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: string;
}

interface Replayed {
  readonly fingerprint: string;
  readonly answer: Promise<object>;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly allowed: readonly Rule[];
  readonly answer: (params: Params, id: string) => object;
}

/**
 * Stripe's HTTP API as far as Sluice uses it, in memory: it keeps what it is told, refuses parameters that it does not
 * know, and knows idempotency keys. Tests move its world by methods, and deliver its events when and as often as they
 * like.
 */
export class StripeApi implements AsyncDisposable {
  weather: Weather = 'fine';
  readonly customers = new Map<string, StandInCustomer>();
  readonly subscriptions = new Map<string, StandInSubscription>();
  readonly invoices = new Map<string, StandInInvoice>();
  readonly sessions = new Map<string, StandInSession>();
  readonly charges = new Map<string, { id: string; customer: string | null }>();
  /** What has happened, oldest first. */
  readonly events: StandInEvent[] = [];
  /** `METHOD /path` of every request, in order. */
  readonly requests: string[] = [];
  /** Awaited before an answer is worked out, and again before it goes out: where a test lets one request overtake another. */
  gate: (request: string, moment: 'before' | 'after') => Promise<void> | void = () => undefined;
  private readonly replays = new Map<string, Replayed>();
  private readonly server: Server;
  private readonly signer = new Stripe(STRIPE_KEY, { apiVersion: API_VERSION });
  private counter = 0;

  private constructor(private readonly nowMs: () => number) {
    this.server = createServer((req, res) => void this.serve(req, res));
  }

  /** @param nowMs the clock that it shares with the gateway */
  static async start(nowMs: () => number = Date.now): Promise<StripeApi> {
    const api = new StripeApi(nowMs);
    await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What a gateway needs to use it. */
  get env(): NodeJS.ProcessEnv {
    return {
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_PRICE_ID: PRICE,
      STRIPE_API_BASE: this.url,
    };
  }

  /** The `Stripe-Signature` of a body, by the SDK's own test helper. */
  sign(payload: string, { secret = WEBHOOK_SECRET, atMs = this.nowMs() } = {}): string {
    const timestamp = Math.floor(atMs / 1000);
    return this.signer.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  }

  /** Delivers an event to a gateway. @returns the status of its answer */
  async deliver(gatewayUrl: string, { payload }: StandInEvent): Promise<number> {
    const response = await fetch(`${gatewayUrl}/billing/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': this.sign(payload) },
      body: payload,
    });
    await response.text();
    return response.status;
  }

  /** A customer that was made for a user of Sluice. */
  addCustomer(userId: string | null): StandInCustomer {
    return this.createCustomer(userId === null ? {} : { metadata: { sluice_user: userId } });
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private readonly routes: readonly Route[] = [
    {
      method: 'DELETE',
      path: /^\/v1\/customers\/(\w+)$/,
      allowed: [],
      answer: (_params, id) => {
        this.livingCustomer(id, 'id');
        this.deleteCustomer(id);
        return { id, object: 'customer', deleted: true };
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/customers$/,
      allowed: ['email', 'name', /^metadata\[\w+\]$/],
      answer: (params) => customerObject(this.createCustomer(params)),
    },
    {
      method: 'GET',
      path: /^\/v1\/customers\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => customerObject(this.customer(id, 'id')),
    },
    {
      method: 'POST',
      path: /^\/v1\/customers\/([^/]+)$/,
      allowed: ['email', 'name', /^metadata\[\w+\]$/],
      answer: (params, id) => {
        const customer = this.livingCustomer(id, 'id');
        const { email = customer.email, name = customer.name } = params;
        Object.assign(customer, { email, name });
        return customerObject(customer);
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/subscriptions$/,
      allowed: ['customer', 'status', 'limit', 'starting_after'],
      answer: (params) => this.listSubscriptions(params),
    },
    {
      method: 'GET',
      path: /^\/v1\/invoices$/,
      allowed: ['subscription', 'status', 'limit', 'starting_after'],
      answer: (params) => this.listInvoices(params),
    },
    {
      method: 'GET',
      path: /^\/v1\/charges\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => {
        const charge = this.charges.get(id);
        if (charge === undefined) throw missing('charge', id, 'id');
        return { ...charge, object: 'charge' };
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/checkout\/sessions$/,
      allowed: ['customer', 'status', 'limit'],
      answer: (params) => this.listSessions(params),
    },
    {
      method: 'POST',
      path: /^\/v1\/checkout\/sessions$/,
      allowed: [
        'mode',
        'customer',
        'client_reference_id',
        /^line_items\[\d+\]\[(price|quantity)\]$/,
        'success_url',
        'cancel_url',
        'allow_promotion_codes',
        'automatic_tax[enabled]',
        /^customer_update\[(address|name|shipping)\]$/,
        /^metadata\[\w+\]$/,
        /^subscription_data\[metadata\]\[\w+\]$/,
        'subscription_data[trial_period_days]',
      ],
      answer: (params) => this.createSession(params),
    },
    {
      method: 'POST',
      path: /^\/v1\/checkout\/sessions\/([^/]+)\/expire$/,
      allowed: [],
      answer: (_params, id) => {
        const session = this.sessions.get(id);
        if (session === undefined) throw missing('checkout.session', id, 'session');
        if (session.status !== 'open') throw invalid(`This Session is not open: ${session.status}`);
        session.status = 'expired';
        return sessionObject(session);
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/billing_portal\/sessions$/,
      allowed: ['customer', 'return_url'],
      answer: ({ customer, return_url: returnUrl }) => {
        const { id } = this.livingCustomer(String(customer), 'customer');
        const session = this.nextId('bps');
        const url = `https://billing.stripe.com/p/session/${session}`;
        return { id: session, object: 'billing_portal.session', customer: id, return_url: returnUrl, url };
      },
    },
  ];

  private now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** Ids do not tell the order; objects of one second are listed latest first all the same. */
  private nextId(prefix: string): string {
    this.counter += 1;
    return `${prefix}_${randomBytes(6).toString('hex')}${this.counter}`;
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://stripe');
    const name = `${req.method} ${url.pathname}`;
    const body = await bodyOf(req);
    this.requests.push(name);
    if (this.weather !== 'fine') {
      this.storm(this.weather, res);
      return;
    }
    await this.gate(name, 'before');
    const { status, answer } = await this.answerTo(req, url, body).then(
      (found) => ({ status: 200, answer: found }),
      (error: unknown) => {
        if (!(error instanceof StripeFault)) throw error;
        return { status: error.status, answer: { error: error.body } };
      },
    );
    await this.gate(name, 'after');
    res.writeHead(status, { 'content-type': 'application/json', 'request-id': this.nextId('req') });
    res.end(JSON.stringify(answer));
  }

  private storm(weather: Exclude<Weather, 'fine'>, res: ServerResponse): void {
    const fault = (status: number, type: string): void => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: { type, message: `the weather is ${weather}` } }));
    };
    if (weather === 'down') res.destroy();
    else if (weather === 'limiting') fault(429, 'invalid_request_error');
    else if (weather === 'failing') fault(500, 'api_error');
    else if (weather === 'slow') setTimeout(() => fault(500, 'api_error'), LONG_MS).unref();
    else {
      res.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => res.write(' '), 200).unref();
      res.once('close', () => clearInterval(drip));
    }
  }

  private async answerTo(req: IncomingMessage, url: URL, body: string): Promise<object> {
    if (req.headers.authorization !== `Bearer ${STRIPE_KEY}`)
      throw new StripeFault(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' });
    if (req.headers['stripe-version'] !== API_VERSION) throw invalid('Invalid Stripe API version');
    const route = this.routes.find(({ method, path }) => method === req.method && path.test(url.pathname));
    if (route === undefined)
      throw new StripeFault(404, {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${req.method}: ${url.pathname})`,
      });
    const flat = new URLSearchParams(req.method === 'GET' ? url.search : body);
    checkParams(flat, route.allowed);
    const id = route.path.exec(url.pathname)?.[1] ?? '';
    const work = (): object => route.answer(paramsOf(flat), id);
    const key = req.headers['idempotency-key'];
    if (req.method !== 'POST' || typeof key !== 'string') return work();
    return this.once(key, `${url.pathname}?${[...flat].map(String).toSorted().join('&')}`, work);
  }

  /** The same key and the same request: the same answer. Another request: an error. */
  private once(key: string, fingerprint: string, work: () => object): Promise<object> {
    const known = this.replays.get(key);
    if (known === undefined) {
      const answer = (async () => work())();
      this.replays.set(key, { fingerprint, answer });
      return answer;
    }
    if (known.fingerprint !== fingerprint)
      throw new StripeFault(400, {
        type: 'idempotency_error',
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. (${key})`,
      });
    return known.answer;
  }

  private createCustomer(params: Params): StandInCustomer {
    const { email = null, name = null, metadata = {} } = params as Partial<StandInCustomer>;
    const customer = { id: this.nextId('cus'), email, name, metadata, deleted: false };
    this.customers.set(customer.id, customer);
    return customer;
  }

  private customer(id: string, param: string): StandInCustomer {
    const customer = this.customers.get(id);
    if (customer === undefined) throw missing('customer', id, param);
    return customer;
  }

  private livingCustomer(id: string, param: string): StandInCustomer {
    const customer = this.customer(id, param);
    if (customer.deleted) throw missing('customer', id, param);
    return customer;
  }

  private listSubscriptions(params: Params): object {
    const { customer, status } = params;
    if (customer !== undefined) this.customer(String(customer), 'customer');
    const all = [...this.subscriptions.values()].filter(
      (each) =>
        (customer === undefined || each.customer === customer) &&
        (status === 'all' || (status === undefined ? each.status !== 'canceled' : each.status === status)),
    );
    return page(all, params, subscriptionObject, '/v1/subscriptions');
  }

  private listInvoices(params: Params): object {
    const { subscription, status } = params;
    const all = [...this.invoices.values()].filter(
      (each) =>
        (subscription === undefined || each.subscription === subscription) &&
        (status === undefined || each.status === status),
    );
    return page(all, params, invoiceObject, '/v1/invoices');
  }

  private listSessions(params: Params): object {
    const { customer, status } = params;
    const all = [...this.sessions.values()].filter(
      (each) => each.customer === customer && (status === undefined || each.status === status),
    );
    return page(all, params, sessionObject, '/v1/checkout/sessions');
  }

  private createSession(params: Params): object {
    const {
      mode,
      customer,
      line_items: items,
      success_url: success,
      metadata,
      subscription_data: data,
    } = params as Record<string, any>;
    if (mode !== 'subscription') throw invalid('Invalid mode', 'mode');
    this.livingCustomer(String(customer), 'customer');
    if (items?.[0]?.price !== PRICE)
      throw missing('price', String(items?.[0]?.price), 'line_items[0][price]');
    if (!URL.canParse(String(success))) throw invalid('Not a valid URL', 'success_url');
    const id = this.nextId('cs');
    const session: StandInSession = {
      id,
      customer,
      status: 'open',
      url: `https://checkout.stripe.com/c/pay/${id}`,
      metadata: metadata ?? {},
      subscriptionMetadata: data?.metadata ?? {},
      trialDays: data?.trial_period_days === undefined ? null : Number(data.trial_period_days),
      params,
    };
    this.sessions.set(id, session);
    return sessionObject(session);
  }
}

function missing(what: string, id: string, param: string): StripeFault {
  return new StripeFault(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${what}: '${id}'`,
  });
}

/** Latest first, as Stripe lists everything. */
function page<T extends { id: string }>(
  all: readonly T[],
  { limit = '10', starting_after: after }: Params,
  render: (each: T) => object,
  url: string,
): object {
  const size = Number(limit);
  if (!(size >= 1 && size <= 100)) throw invalid('limit must be between 1 and 100', 'limit');
  const listed = all.toReversed();
  const from = after === undefined ? 0 : listed.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw missing('object', String(after), 'starting_after');
  const data = listed.slice(from, from + size);
  return { object: 'list', url, has_more: from + size < listed.length, data: data.map(render) };
}

function customerObject({ id, email, name, metadata, deleted }: StandInCustomer): object {
  return deleted
    ? { id, object: 'customer', deleted: true }
    : { id, object: 'customer', email, name, metadata, livemode: false };
}

function subscriptionObject(subscription: StandInSubscription): object {
  const { id, customer, status, created, periodEnd, cancelAtPeriodEnd, trialEnd, endedAt, metadata, price } =
    subscription;
  const item = {
    id: `si_${id}`,
    object: 'subscription_item',
    current_period_end: periodEnd,
    price: { id: price },
  };
  return {
    id,
    object: 'subscription',
    customer,
    status,
    created,
    cancel_at: cancelAtPeriodEnd ? periodEnd : null,
    cancel_at_period_end: cancelAtPeriodEnd,
    trial_end: trialEnd,
    ended_at: endedAt,
    metadata,
    items: { object: 'list', data: [item], has_more: false },
  };
}

function invoiceObject({ id, customer, subscription, status, created }: StandInInvoice): object {
  return {
    id,
    object: 'invoice',
    customer,
    status,
    created,
    hosted_invoice_url: `https://invoice.stripe.com/i/${id}`,
    parent: { type: 'subscription_details', subscription_details: { subscription } },
    status_transitions: { finalized_at: created, paid_at: status === 'paid' ? created : null },
  };
}

function sessionObject({ id, customer, status, url, metadata }: StandInSession): object {
  const open = status === 'open';
  return { id, object: 'checkout.session', customer, status, url: open ? url : null, metadata };
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of req.setEncoding('utf8')) body += String(chunk);
  return body;
}
