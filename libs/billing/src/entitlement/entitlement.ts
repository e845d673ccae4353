import { assertNever } from '#common';
import type { BillingAccount, SubscriptionStatus } from '#database';

/** What of a subscription decides. */
export type SubscriptionState = Pick<BillingAccount, 'status' | 'pastDueSince'>;

/** What the operator has decided. */
export interface EntitlementRules {
  /** Whether there is billing at all. */
  readonly enabled: boolean;
  /** Whether a customer needs a subscription from the start. */
  readonly required: boolean;
  /** How long a slice goes on after a payment has failed. */
  readonly graceMs: number;
}

/** Whether a customer may use the slice. */
export interface Entitlement {
  readonly entitled: boolean;
  /** When that ends by time alone, in milliseconds since the epoch; Infinity where it does not. */
  readonly until: number;
}

/** Of somebody who has never been at the checkout. */
export const NEVER_SUBSCRIBED: SubscriptionState = { status: 'none', pastDueSince: null };

const YES: Entitlement = { entitled: true, until: Infinity };
const NO: Entitlement = { entitled: false, until: Infinity };

/** The one place that says what a subscription is worth. Depends on nothing but what it is given. */
export function entitlementOf(
  { status, pastDueSince }: SubscriptionState,
  { enabled, required, graceMs }: EntitlementRules,
  nowMs: number,
): Entitlement {
  if (!enabled) return YES;
  switch (status) {
    case 'none':
      return required ? NO : YES;
    case 'trialing':
    case 'active':
      return YES;
    case 'past_due': {
      const until = graceEnd(pastDueSince, graceMs) ?? nowMs + graceMs;
      return nowMs < until ? { entitled: true, until } : NO;
    }
    case 'unpaid':
    case 'canceled':
    case 'incomplete':
    case 'incomplete_expired':
    case 'paused':
      return NO;
    default:
      return assertNever(status);
  }
}

/** Whether a subscription goes on, so that another one beside it would be paid for twice. */
export function goesOn(status: SubscriptionStatus): boolean {
  switch (status) {
    case 'trialing':
    case 'active':
    case 'past_due':
    case 'unpaid':
    case 'paused':
      return true;
    case 'none':
    case 'canceled':
    // The first payment did not come about: it is tried anew.
    case 'incomplete':
    case 'incomplete_expired':
      return false;
    default:
      return assertNever(status);
  }
}

function graceEnd(since: Date | null, graceMs: number): number | null {
  return since === null ? null : since.getTime() + graceMs;
}
