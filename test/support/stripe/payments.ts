import { invoiceObject, subscriptionObject } from './objects.js';
import { missing, type Params } from './params.js';
import { page, type Route } from './routes.js';
import type { StripeWorld } from './world.js';

/** `/v1/subscriptions`, and what is paid for them: `/v1/invoices`, `/v1/charges`. */
export function paymentRoutes(world: StripeWorld): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\/subscriptions$/,
      allowed: ['customer', 'status', 'limit', 'starting_after'],
      values: [
        {
          name: 'status',
          is: /^(all|ended|active|canceled|incomplete|incomplete_expired|past_due|paused|trialing|unpaid)$/,
        },
      ],
      answer: (params) => listSubscriptions(world, params),
    },
    {
      method: 'GET',
      path: /^\/v1\/invoices$/,
      allowed: ['subscription', 'status', 'limit', 'starting_after'],
      values: [{ name: 'status', is: /^(draft|open|paid|uncollectible|void)$/ }],
      answer: (params) => listInvoices(world, params),
    },
    {
      method: 'GET',
      path: /^\/v1\/invoices\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => {
        const invoice = world.invoices.get(id);
        if (invoice === undefined) throw missing('invoice', id, 'invoice');
        return invoiceObject(invoice);
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/charges\/([^/]+)$/,
      allowed: [],
      answer: (_params, id) => {
        const charge = world.charges.get(id);
        if (charge === undefined) throw missing('charge', id, 'id');
        return { ...charge, object: 'charge' };
      },
    },
  ];
}

function listSubscriptions(world: StripeWorld, params: Params): object {
  const { customer, status } = params;
  if (customer !== undefined) world.customer(String(customer), 'customer');
  const all = [...world.subscriptions.values()].filter(
    (each) =>
      (customer === undefined || each.customer === customer) &&
      (status === 'all' || (status === undefined ? each.status !== 'canceled' : each.status === status)),
  );
  return page(all, params, subscriptionObject, '/v1/subscriptions');
}

function listInvoices(world: StripeWorld, params: Params): object {
  const { subscription, status } = params;
  const all = [...world.invoices.values()].filter(
    (each) =>
      (subscription === undefined || each.subscription === subscription) &&
      (status === undefined || each.status === status),
  );
  return page(all, params, invoiceObject, '/v1/invoices');
}
