import { z } from 'zod';
import { SUBSCRIPTION_STATUSES } from '#database';

/** RFC 5321 §4.5.3.1.3 leaves 254 octets for an address. Trimmed and lower case, so that it names one account. */
export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .meta({ format: 'email', maxLength: 254 })
  .pipe(z.email('must be an e-mail address').max(254, 'must be 254 characters at the most'));

/** Half a surrogate pair has no UTF-8: stored, it would be another text, and all such passwords would be the same. */
const WELL_FORMED = 'must be well-formed Unicode';
const isWellFormed = (text: string): boolean => text.isWellFormed();

/** Control characters have no place in a name: they end up in headers, logs and terminals. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters')
  .refine(isWellFormed, WELL_FORMED);

/** A password that somebody chooses. */
export const newPasswordSchema = z
  .string()
  .min(8, 'must be 8 characters at the least')
  .max(256, 'must be 256 characters at the most')
  .refine(isWellFormed, WELL_FORMED);

/** Strict: an unknown field is a mistake, and one such as `role` is worse. */
export const registrationSchema = z
  .strictObject({
    email: emailSchema,
    password: newPasswordSchema,
    name: nameSchema.optional(),
  })
  .meta({ example: { email: 'ada@example.com', password: 'correct horse battery staple', name: 'Ada' } });
export type RegistrationInput = z.infer<typeof registrationSchema>;

/**
 * By `email` for a session, by `username` for an admin's token. No lower bound of the password: that would tell nothing
 * but the rule. The upper one bounds the work.
 */
export const loginSchema = z
  .strictObject({
    email: emailSchema.optional(),
    /** The e-mail address of an admin. */
    username: emailSchema.optional(),
    password: z.string().max(256, 'must be 256 characters at the most'),
    /** Of an account with two factors: the code of the authenticator app, or a recovery code. */
    totp: z.string().trim().max(64, 'must be 64 characters at the most').optional(),
  })
  .meta({ example: { email: 'ada@example.com', password: 'correct horse battery staple' } })
  .transform(({ email, username, password, totp }, { issues, value }): LoginInput => {
    const account = email ?? username;
    if (account !== undefined && (email === undefined || username === undefined)) {
      return { account, wants: email === undefined ? 'token' : 'session', password, totp };
    }
    const message = account === undefined ? 'is required, or username' : 'must not stand beside username';
    issues.push({ code: 'custom', input: value, path: ['email'], message });
    return z.NEVER;
  });

/** A sign-in: to which account, by what, and what for. */
export interface LoginInput {
  /** Normalised. */
  readonly account: string;
  readonly wants: 'session' | 'token';
  readonly password: string;
  readonly totp: string | undefined;
}

export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    role: z.enum(['member', 'admin']),
    emailVerified: z.boolean(),
    /** Whether the account has two factors. */
    totpEnabled: z.boolean(),
  })
  .meta({ id: 'User' });

export const customerSliceSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    status: z.enum(['provisioning', 'active', 'stopped', 'failed', 'destroying']),
    error: z.string().optional(),
  })
  .meta({ id: 'CustomerSlice' });

export const registeredSchema = z.object({
  user: userSchema,
  /** Whether a running slice was given at once; if not, one may be on its way. */
  sliceAssigned: z.boolean(),
  slice: customerSliceSchema.nullable(),
});
export type Registered = z.infer<typeof registeredSchema>;

export const signedInSchema = z.object({ user: userSchema, slice: customerSliceSchema.nullable() });
export type SignedIn = z.infer<typeof signedInSchema>;

/** A customer's subscription as that customer sees it. */
export const subscriptionSchema = z
  .object({
    status: z.enum(SUBSCRIPTION_STATUSES),
    /** Whether it opens the app now. */
    entitled: z.boolean(),
    priceId: z.string().nullable(),
    currentPeriodEnd: z.iso.datetime().nullable(),
    cancelAtPeriodEnd: z.boolean(),
    trialEnd: z.iso.datetime().nullable(),
  })
  .meta({ id: 'CustomerSubscription' });
export type CustomerSubscription = z.infer<typeof subscriptionSchema>;

export const profileSchema = z.object({
  user: userSchema,
  slice: customerSliceSchema.nullable(),
  /** Null when there never was one, or without billing. */
  subscription: subscriptionSchema.nullable(),
});
export type Profile = z.infer<typeof profileSchema>;
