import { z } from 'zod';

const time = z.iso.datetime();

export const deviceId = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the id of a session');

/** One signed-in browser of a user, as an operator sees it. */
export const sessionSummary = z
  .object({
    /** Names the session and signs nobody in. */
    id: z.string(),
    kind: z.enum(['password', 'oidc']),
    createdAt: time,
    lastSeenAt: time,
    expiresAt: time,
    /** Where it was opened from. */
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'UserSession' });
export type SessionFacts = z.infer<typeof sessionSummary>;

/** The same as its user sees it. */
const deviceSchema = sessionSummary
  .extend({
    /** Whether it is the one that asks. */
    current: z.boolean(),
  })
  .meta({ id: 'SessionSummary' });
export type Device = z.infer<typeof deviceSchema>;

export const devicesSchema = z.array(deviceSchema);
