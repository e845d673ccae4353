import { z } from 'zod';
import { emailSchema, newPasswordSchema } from '../accounts/schemas.js';

/** Of whatever form: a token that is none is answered as one that has expired. */
export const linkTokenSchema = z.string().max(512, 'must be 512 characters at the most');

export const verifySchema = z
  .strictObject({ token: linkTokenSchema })
  .meta({ example: { token: 'Zk3v0m1q9dJt4nYpWb7sXcR2uLhEgAoFiKxTzQyMj5U' } });
export type VerifyInput = z.infer<typeof verifySchema>;

/** What a mail program adds to a link is no reason not to show the page. */
export const linkQuerySchema = z.object({ token: linkTokenSchema.default('') });
export type LinkQuery = z.infer<typeof linkQuerySchema>;

export const passwordChangeSchema = z
  .strictObject({
    current: z.string().max(256, 'must be 256 characters at the most'),
    next: newPasswordSchema,
  })
  .meta({ example: { current: 'correct horse battery staple', next: 'a better one than that' } });
export type PasswordChangeInput = z.infer<typeof passwordChangeSchema>;

export const passwordForgotSchema = z
  .strictObject({ email: emailSchema })
  .meta({ example: { email: 'ada@example.com' } });
export type PasswordForgotInput = z.infer<typeof passwordForgotSchema>;

export const passwordResetSchema = z
  .strictObject({ token: linkTokenSchema, password: newPasswordSchema })
  .meta({
    example: {
      token: 'Zk3v0m1q9dJt4nYpWb7sXcR2uLhEgAoFiKxTzQyMj5U',
      password: 'correct horse battery staple',
    },
  });
export type PasswordResetInput = z.infer<typeof passwordResetSchema>;
