import { z } from 'zod';
import { validationFailed } from '#common';

/** PostgreSQL's integer: a larger number is no slice's id, and must not reach a query. */
const LARGEST_ID = 2 ** 31 - 1;

export const sliceId = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be the number of a slice')
  .transform(Number)
  .refine((id) => id <= LARGEST_ID, 'is not the number of a slice');

export const waitQuery = z.strictObject({ wait: z.enum(['true', 'false']).default('true') });
export const forceQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') });

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** How the OpenAPI document describes it. */
export const IDEMPOTENCY_KEY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'Made up by the client; with the same key, the same request does nothing twice for 24 hours.',
  schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
} as const;

/**
 * The `Idempotency-Key` header (IETF draft of that name): an opaque string the client makes up.
 * @throws CoreError VALIDATION_FAILED
 */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (IDEMPOTENCY_KEY.test(header)) return header;
  throw validationFailed([
    { path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' },
  ]);
}

/** Without a body, it only looks. */
export const sweepBody = z
  .strictObject({ dryRun: z.boolean().default(true) })
  .meta({ example: { dryRun: true } })
  .default({ dryRun: true });
