import { z } from 'zod';
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

/** Everything that is kept of a customer; what is in their slice is the app's to export. */
export const accountExportSchema = z
  .object({
    exportedAt: time,
    user: userSchema.extend({ createdAt: time, emailVerifiedAt: time.nullable() }),
    /** Of sign-ins by OpenID Connect. */
    identities: z.array(z.object({ issuer: z.string(), subject: z.string(), createdAt: time })),
    sessions: z.array(sessionSummary),
    slice: customerSliceSchema.nullable(),
    /** What the operator did with the account. */
    audit: z.array(z.object({ at: time, action: z.string(), ip: z.string().nullable() })),
  })
  .meta({ id: 'AccountExport' });
export type AccountExport = z.infer<typeof accountExportSchema>;
