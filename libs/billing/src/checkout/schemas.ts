import { z } from 'zod';

export const addressSchema = z.object({ url: z.url().describe('A page at Stripe; lead the browser there.') });
export type Address = z.infer<typeof addressSchema>;

export const receivedSchema = z.object({ received: z.literal(true) });
export type Received = z.infer<typeof receivedSchema>;

export const billingStatusSchema = z
  .object({
    /** Without billing everybody is entitled. */
    enabled: z.boolean(),
    status: z.enum([
      'none',
      'trialing',
      'active',
      'past_due',
      'unpaid',
      'canceled',
      'incomplete',
      'incomplete_expired',
      'paused',
    ]),
    /** Whether the app may be used now. */
    entitled: z.boolean(),
    priceId: z.string().nullable(),
    currentPeriodEnd: z.iso.datetime().nullable(),
    cancelAtPeriodEnd: z.boolean(),
    trialEnd: z.iso.datetime().nullable(),
  })
  .meta({ id: 'BillingStatus' });
export type BillingStatus = z.infer<typeof billingStatusSchema>;
