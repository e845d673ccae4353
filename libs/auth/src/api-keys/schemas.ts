import { z } from 'zod';
import { scopeSchema } from './scopes.js';

/** It stands in log lines that programs read, so there is no line break in it. */
const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters')
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

export const newApiKeySchema = z
  .strictObject({
    name: nameSchema,
    /** What the worker does; paths of workers can ask for a type. */
    worker_type: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be a word, such as ping'),
    /** Without scopes a key may call whatever keys may call. */
    scopes: z.array(scopeSchema).min(1).max(50).optional(),
    /** Without it a key is good until it is revoked. */
    expires_in_days: z.int().min(1).max(3650).optional(),
  })
  .meta({
    example: { name: 'worker 1', worker_type: 'ping', scopes: ['GET /api/gateway/*'], expires_in_days: 90 },
  });
export type NewApiKeyInput = z.infer<typeof newApiKeySchema>;

export const generatedApiKeySchema = z.object({
  /** Shown this once. */
  key: z.string(),
  id: z.uuid(),
  name: z.string(),
  worker_type: z.string(),
  note: z.string(),
});
export type GeneratedApiKey = z.infer<typeof generatedApiKeySchema>;

const apiKeyViewSchema = z
  .object({
    id: z.uuid(),
    /** Its first eight and its last six characters; `unreadable` for one that `SECRET_KEY` does not open. */
    key_preview: z.string(),
    name: z.string(),
    worker_type: z.string(),
    scopes: z.array(z.string()).nullable(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable(),
    request_count: z.int(),
    /** Neither revoked nor expired, nor unreadable. */
    enabled: z.boolean(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeyViewSchema>;

export const apiKeyListSchema = z.array(apiKeyViewSchema);

export const revokedSchema = z.object({ status: z.literal('revoked') });
export type Revoked = z.infer<typeof revokedSchema>;

export const keyQuerySchema = z.strictObject({ key: z.string().min(1).max(200) });
export const keyIdSchema = z.uuid('must be the id of an API key');
