import type { Params } from './params.js';

/* What the stand-in keeps of Stripe's objects, and how Stripe shows them. */

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
  /** Null: its item comes without one, as Stripe should not send it. */
  price: string | null;
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

export interface StandInCharge {
  id: string;
  customer: string | null;
}

export function customerObject({ id, email, name, metadata, deleted }: StandInCustomer): object {
  return deleted
    ? { id, object: 'customer', deleted: true }
    : { id, object: 'customer', email, name, metadata, livemode: false };
}

export function subscriptionObject(subscription: StandInSubscription): object {
  const { id, customer, status, created, periodEnd, cancelAtPeriodEnd, trialEnd, endedAt, metadata, price } =
    subscription;
  const item = {
    id: `si_${id}`,
    object: 'subscription_item',
    current_period_end: periodEnd,
    ...(price === null ? {} : { price: { id: price } }),
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

export function invoiceObject({ id, customer, subscription, status, created }: StandInInvoice): object {
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

export function sessionObject({ id, customer, status, url, metadata }: StandInSession): object {
  const open = status === 'open';
  return { id, object: 'checkout.session', customer, status, url: open ? url : null, metadata };
}
