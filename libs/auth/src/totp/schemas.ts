import { z } from 'zod';

const passwordSchema = z.string().max(256, 'must be 256 characters at the most');

/** A code of the authenticator app or a recovery code, however it was typed; the bound is far above either. */
export const codeSchema = z
  .string()
  .trim()
  .min(1, 'must be a code of the authenticator app, or a recovery code')
  .max(64, 'must be 64 characters at the most');

export const enrolmentRequestSchema = z
  .strictObject({
    /** Needed where one has been signed in for a while. */
    password: passwordSchema.optional(),
  })
  .meta({ example: { password: 'correct horse battery staple' } })
  .prefault({});
export type EnrolmentRequest = z.infer<typeof enrolmentRequestSchema>;

export const enrolmentSchema = z.object({
  /** For authenticator apps that can't scan: base32. */
  secret: z.string(),
  otpauthUrl: z.string(),
  /** The URL as a QR code: a PNG in a `data:` URL. */
  qr: z.string(),
});
export type Enrolment = z.infer<typeof enrolmentSchema>;

export const confirmationSchema = z.strictObject({ code: codeSchema }).meta({ example: { code: '492039' } });
export type Confirmation = z.infer<typeof confirmationSchema>;

export const recoveryCodesSchema = z.object({ recoveryCodes: z.array(z.string()).length(10) });
export type RecoveryCodes = z.infer<typeof recoveryCodesSchema>;

export const removalSchema = z
  .strictObject({
    /** Needed where one has been signed in for a while. */
    code: codeSchema.optional(),
  })
  .meta({ example: { code: '492039' } })
  .prefault({});
export type Removal = z.infer<typeof removalSchema>;
