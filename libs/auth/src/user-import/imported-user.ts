import { z } from 'zod';
import { detailsOf } from '#common';
import { emailSchema, nameSchema } from '../accounts/schemas.js';
import { kindOfHash, s3HashOf } from '../passwords/foreign-hashes.js';
import type { UserRole } from '#database';

/** A user as the import takes them. */
export interface ImportedUser {
  readonly email: string;
  readonly name: string | null;
  /** Null: the user has to reset the password, or sign in by OIDC. */
  readonly passwordHash: string | null;
  readonly role: UserRole;
  readonly emailVerified: boolean;
}

const flag = z.union([
  z.boolean(),
  z.stringbool({ truthy: ['true', '1', 'yes', 't', 'y'], falsy: ['false', '0', 'no', 'f', 'n'] }),
]);

const rowSchema = z
  .strictObject({
    email: emailSchema,
    name: nameSchema.optional(),
    password_hash: z
      .string()
      .refine(
        (hash) => kindOfHash(hash) !== 'unknown',
        'is no hash that can be verified: argon2, bcrypt up to cost 15, or $s3-sha256$salt$hash',
      )
      .optional(),
    salt: z.string().optional(),
    hash: z.string().optional(),
    role: z.enum(['member', 'admin'], 'must be member or admin').default('member'),
    email_verified: flag.default(false),
  })
  .refine(({ password_hash, salt, hash }) => password_hash === undefined || (salt ?? hash) === undefined, {
    path: ['password_hash'],
    message: 'must not stand beside salt and hash',
  })
  .refine(({ salt, hash }) => salt === undefined || hash !== undefined, {
    path: ['salt'],
    message: 'needs hash beside it',
  })
  .refine(({ salt, hash }) => hash === undefined || s3HashOf(salt ?? '', hash) !== null, {
    path: ['hash'],
    message: 'must be base64 of a SHA-256, 32 bytes',
  });

/** What a file of users may tell. */
export const COLUMNS: readonly string[] = Object.keys(rowSchema.shape);

/** The user of a record, or what is wrong with it. */
export function importedUser(values: Readonly<Record<string, unknown>>): ImportedUser | string[] {
  const { data, error } = rowSchema.safeParse(values);
  if (error !== undefined)
    return detailsOf(error.issues).map(({ path, message }) => `${path} ${message}`.trim());
  const { email, name, role, password_hash, salt, hash, email_verified: emailVerified } = data;
  const passwordHash = hash === undefined ? password_hash : s3HashOf(salt ?? '', hash);
  return { email, name: name ?? null, role, passwordHash: passwordHash ?? null, emailVerified };
}
