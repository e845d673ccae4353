import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseBytes } from '#config';

const MEGABYTE = 1024 ** 2;

/** What a slice may be called. */
export const sliceName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 of a-z, 0-9 and -, not beginning or ending with -',
  );

/** An image reference as Docker reads it: no blanks, no control characters. */
const image = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\w][\w.\-/:@]*$/, 'must be an image reference such as acme/app:1.4');

const environment = z
  .record(
    z
      .string()
      .max(256)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name'),
    // NUL ends a variable in every operating system.
    z
      .string()
      .max(32_768)
      .regex(/^[^\0]*$/, 'must not contain NUL')
      .refine((text) => text.isWellFormed(), 'must be well-formed Unicode'),
  )
  .refine((env) => Object.keys(env).length <= 200, 'must have 200 variables at the most');

const MEMORY = 'must be from 6m to 1024g, such as 256m, or a number of bytes';

const memory = z.union([z.int(), z.string()], MEMORY).transform((given, context) => {
  const bytes = typeof given === 'number' ? given : parseBytes(given);
  if (bytes !== null && bytes >= 6 * MEGABYTE && bytes <= 1024 ** 4) return bytes;
  context.addIssue({ code: 'custom', message: MEMORY });
  return z.NEVER;
});

const cpus = z.number().min(0.01).max(128);

/** Body of a request for a new slice. Everything left out comes from the configuration. */
export const provisionSchema = z
  .strictObject({
    name: sliceName.optional(),
    image: image.optional(),
    owner: z.uuid().optional(),
    env: environment.optional(),
    memory: memory.optional(),
    cpus: cpus.optional(),
  })
  .meta({ example: { name: 'acme', memory: '256m', cpus: 0.5, env: { COLOUR: 'blue' } } });
export type ProvisionRequest = z.infer<typeof provisionSchema>;

/** Body of a change: only what is given changes. */
export const changeSchema = z
  .strictObject({
    name: sliceName.optional(),
    image: image.optional(),
    owner: z.uuid().nullable().optional(),
    env: environment.optional(),
    memory: memory.optional(),
    cpus: cpus.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change')
  .meta({ example: { memory: '512m', cpus: 1 } });
export type SliceChange = z.infer<typeof changeSchema>;

/** The same request in any order of its fields has the same hash. */
export function requestHash(request: ProvisionRequest): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(request)))
    .digest('hex');
}

function canonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner)]);
}
