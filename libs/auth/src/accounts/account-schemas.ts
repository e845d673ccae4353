import { z } from 'zod';
import { SUBSCRIPTION_STATUSES } from '#database';
import { sessionSummary } from '../sessions/schemas.js';
import { customerSliceSchema, userSchema } from './schemas.js';

export const accountDeletionSchema = z
  .strictObject({
    /** Needed where one has been signed in for a while. */
    password: z.string().max(256, 'must be 256 characters at the most').optional(),
  })
  .meta({ example: { password: 'correct horse battery staple' } })
  .prefault({});
export type AccountDeletionRequest = z.infer<typeof accountDeletionSchema>;

const time = z.iso.datetime();

/** What billing keeps of a customer; invoices and cards are Stripe's. */
const billingRecordSchema = z
  .object({
    /** At Stripe; null before the first checkout. */
    customerId: z.string().nullable(),
    /** The address that Stripe was last told. */
    customerEmail: z.string().nullable(),
    subscriptionId: z.string().nullable(),
    status: z.enum(SUBSCRIPTION_STATUSES),
    statusSince: time.nullable(),
    priceId: z.string().nullable(),
    currentPeriodEnd: time.nullable(),
    cancelAt: time.nullable(),
    cancelAtPeriodEnd: z.boolean(),
    trialEnd: time.nullable(),
    pastDueSince: time.nullable(),
    endedAt: time.nullable(),
    /** What was done about it, the latest first. */
    steps: z.array(
      z.object({
        at: time,
        step: z.string(),
        detail: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
      }),
    ),
  })
  .meta({ id: 'BillingRecord' });
export type BillingRecord = z.infer<typeof billingRecordSchema>;

/** Everything that is kept of a customer; what is in their slice is the app's to export. */
export const accountExportSchema = z
  .object({
    exportedAt: time,
    user: userSchema.extend({ createdAt: time, emailVerifiedAt: time.nullable() }),
    /** Of sign-ins by OpenID Connect. */
    identities: z.array(z.object({ issuer: z.string(), subject: z.string(), createdAt: time })),
    sessions: z.array(sessionSummary),
    slice: customerSliceSchema.nullable(),
    /** Null where there never was a checkout. */
    billing: billingRecordSchema.nullable(),
    /** What the operator did with the account. */
    audit: z.array(z.object({ at: time, action: z.string(), ip: z.string().nullable() })),
  })
  .meta({ id: 'AccountExport' });
export type AccountExport = z.infer<typeof accountExportSchema>;
