import { z } from 'zod';

const time = z.iso.datetime();

export const deviceId = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the id of a session');

/** One signed-in browser of a user. */
const deviceSchema = z
  .object({
    /** Names the session and signs nobody in. */
    id: z.string(),
    /** Whether it is the one that asks. */
    current: z.boolean(),
    kind: z.enum(['password', 'oidc']),
    createdAt: time,
    lastSeenAt: time,
    expiresAt: time,
    /** Where it was opened from. */
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'SessionSummary' });
export type Device = z.infer<typeof deviceSchema>;

export const devicesSchema = z.array(deviceSchema);
