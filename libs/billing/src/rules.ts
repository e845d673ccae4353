import { AppConfig } from '#config';
import type { EntitlementRules } from './entitlement/entitlement.js';
import type { TimelineRules } from './entitlement/timeline.js';

/** What the operator has decided about who may use a slice, and for how long. */
export type BillingRules = EntitlementRules & TimelineRules;

export function rulesOf({ billing, slices }: AppConfig): BillingRules {
  const { stripe, required, graceMs } = billing;
  return { enabled: stripe !== null, required, graceMs, retentionMs: slices.retentionMs };
}
