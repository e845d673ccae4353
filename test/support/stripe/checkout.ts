import { sessionObject, type StandInSession } from './objects.js';
import { BOOLEAN, invalid, missing, type Params, WEB_ADDRESS } from './params.js';
import { page, type Route } from './routes.js';
import { PRICE, type StripeWorld } from './world.js';

/** The pages that Stripe shows to customers: `/v1/checkout/sessions`, `/v1/billing_portal/sessions`. */
export function checkoutRoutes(world: StripeWorld): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\/checkout\/sessions$/,
      allowed: ['customer', 'status', 'limit'],
      values: [{ name: 'status', is: /^(open|complete|expired)$/ }],
      answer: (params) => listSessions(world, params),
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
      values: [
        { name: 'mode', is: /^subscription$/, required: true },
        { name: 'line_items[0][price]', is: /^price_/, required: true },
        { name: 'line_items[0][quantity]', is: /^[1-9]\d*$/, required: true },
        { name: 'success_url', is: WEB_ADDRESS, required: true },
        { name: 'cancel_url', is: WEB_ADDRESS },
        { name: 'client_reference_id', is: /^.{1,200}$/ },
        { name: 'allow_promotion_codes', is: BOOLEAN },
        { name: 'automatic_tax[enabled]', is: BOOLEAN },
        { name: 'customer_update[address]', is: /^(auto|never)$/ },
        { name: 'customer_update[name]', is: /^(auto|never)$/ },
        { name: 'subscription_data[trial_period_days]', is: /^[1-9]\d*$/ },
      ],
      answer: (params) => createSession(world, params),
    },
    {
      method: 'GET',
      path: /^\/v1\/checkout\/sessions\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => sessionObject(sessionOf(world, id)),
    },
    {
      method: 'POST',
      path: /^\/v1\/checkout\/sessions\/([^/]+)\/expire$/,
      allowed: [],
      answer: (_params, id) => expireSession(world, id),
    },
    {
      method: 'POST',
      path: /^\/v1\/billing_portal\/sessions$/,
      allowed: ['customer', 'return_url'],
      values: [
        { name: 'customer', is: /./, required: true },
        { name: 'return_url', is: WEB_ADDRESS },
      ],
      answer: ({ customer, return_url: returnUrl }) => {
        const { id } = world.livingCustomer(String(customer), 'customer');
        const session = world.nextId('bps');
        const url = `https://billing.stripe.com/p/session/${session}`;
        return { id: session, object: 'billing_portal.session', customer: id, return_url: returnUrl, url };
      },
    },
  ];
}

function listSessions(world: StripeWorld, params: Params): object {
  const { customer, status } = params;
  const all = [...world.sessions.values()].filter(
    (each) => each.customer === customer && (status === undefined || each.status === status),
  );
  return page(all, params, sessionObject, '/v1/checkout/sessions');
}

function createSession(world: StripeWorld, params: Params): object {
  const {
    customer,
    line_items: items,
    metadata,
    subscription_data: data,
    automatic_tax: tax,
    customer_update: update,
  } = params as Record<string, any>;
  world.livingCustomer(String(customer), 'customer');
  if (items?.[0]?.price !== PRICE) throw missing('price', String(items?.[0]?.price), 'line_items[0][price]');
  if (tax?.enabled === 'true' && update?.address !== 'auto')
    throw invalid(
      "Automatic tax calculation in Checkout requires a valid address on the Customer, or customer_update[address] set to 'auto'.",
    );
  const id = world.nextId('cs');
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
  world.sessions.set(id, session);
  return sessionObject(session);
}

function sessionOf(world: StripeWorld, id: string): StandInSession {
  const session = world.sessions.get(id);
  if (session === undefined) throw missing('checkout.session', id, 'session');
  return session;
}

function expireSession(world: StripeWorld, id: string): object {
  const session = sessionOf(world, id);
  if (session.status !== 'open') throw invalid(`This Session is not open: ${session.status}`);
  session.status = 'expired';
  return sessionObject(session);
}
