import type { BillingRecord } from './account-schemas.js';

/** Port: what is kept of a customer's payments, for themselves. Provided by billing. */
export abstract class BillingRecords {
  /** Null when there never was anything, also where billing is switched off by now. */
  abstract recordOf(userId: string): Promise<BillingRecord | null>;
}
