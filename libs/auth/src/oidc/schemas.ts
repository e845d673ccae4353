import { z } from 'zod';
import { nextSchema } from './return-target.js';

const once = 'must be given once, as a text';

/** More than any provider needs for it; the URL itself is bounded by 8 KB. */
const MAX_PARAMETER = 4096;

export const loginQuerySchema = z.object({
  /** Where to go after the sign-in, a path of `frontend_host`. */
  next: nextSchema,
  /** The origin of the frontend to return to. Default: `Origin`, `Referer`, else our own. */
  frontend_host: z.string(once).max(255).optional(),
});
export type LoginQuery = z.infer<typeof loginQuerySchema>;

/** What the provider sends the browser back with (RFC 6749 §4.1.2, RFC 9207). It may send more, which is ignored. */
export const callbackQuerySchema = z.object({
  state: z.string(once).max(MAX_PARAMETER).optional(),
  code: z.string(once).max(MAX_PARAMETER).optional(),
  iss: z.string(once).max(MAX_PARAMETER).optional(),
  error: z.string(once).max(MAX_PARAMETER).optional(),
});
export type CallbackQuery = z.infer<typeof callbackQuerySchema>;

export const whoAmISchema = z
  .object({
    /** The provider's name for the user; the account's id where there is no provider. */
    sub: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    /** URL of a portrait. */
    picture: z.string().nullable(),
  })
  .meta({ id: 'WhoAmI' });
export type WhoAmI = z.infer<typeof whoAmISchema>;
