import { z } from 'zod';
import { subscriptionSchema } from '#auth';

export const addressSchema = z.object({ url: z.url().describe('A page at Stripe; lead the browser there.') });
export type Address = z.infer<typeof addressSchema>;

export const receivedSchema = z.object({ received: z.literal(true) });
export type Received = z.infer<typeof receivedSchema>;

/** The subscription, and whether there is billing at all: without it everybody is entitled. */
export const billingStatusSchema = z
  .object({ enabled: z.boolean(), ...subscriptionSchema.shape })
  .meta({ id: 'BillingStatus' });
export type BillingStatus = z.infer<typeof billingStatusSchema>;
