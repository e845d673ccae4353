import { z } from 'zod';

export const guestRequestSchema = z
  .strictObject({
    /** One of `guest.routes` in config.yml; the first of them by default. */
    route: z.string().max(64, 'must be 64 characters at the most').optional(),
  })
  .meta({ example: { route: 'build' } })
  .prefault({});
export type GuestRequest = z.infer<typeof guestRequestSchema>;

export const guestTokenSchema = z.object({
  success: z.literal(true),
  token: z.string(),
  route: z.string(),
});
export type GuestTokenIssued = z.infer<typeof guestTokenSchema>;

export const adminTokenSchema = z.object({
  success: z.literal(true),
  /** For `Authorization: Bearer`. */
  token: z.string(),
  user: z.object({ username: z.string(), role: z.literal('admin') }),
});
export type AdminTokenIssued = z.infer<typeof adminTokenSchema>;
