import { z } from 'zod';

/** What the endpoints answer, for the OpenAPI document. */
export const sliceResponse = z
  .object({
    id: z.int(),
    name: z.string(),
    status: z.enum(['provisioning', 'active', 'stopped', 'failed', 'destroying', 'destroyed']),
    host: z.string().nullable(),
    port: z.int().nullable(),
    runtime: z
      .enum(['docker', 'process', 'external'])
      .describe('`external`: registered as it ran; Sluice neither starts nor ends it.'),
    image: z.string().nullable(),
    owner: z.uuid().nullable(),
    createdAt: z.iso.datetime(),
    lastHealthyAt: z.iso.datetime().nullable(),
    error: z.string().optional(),
  })
  .meta({ id: 'Slice' });

export const slicesResponse = z.array(sliceResponse);

export const orphanResponse = z
  .object({
    kind: z
      .enum(['instance', 'data', 'network', 'database', 'role'])
      .describe(
        'A process or container; a data directory or volume; a network of its own; the rest in PostgreSQL.',
      ),
    sliceId: z.int().describe('The slice whose name or label it bears; no such slice is there any more.'),
  })
  .meta({ id: 'Orphan' });

export const statusResponse = z.object({
  slices: z.object({ total: z.int(), unclaimed: z.int() }).catchall(z.int()),
  containers: z.object({ total: z.int(), running: z.int() }),
  memory: z.object({ slicesUsed: z.int(), slicesLimit: z.int(), hostFree: z.int(), hostTotal: z.int() }),
  orphans: z.array(orphanResponse),
});

export const sweepResponse = z.object({ dryRun: z.boolean(), orphans: z.array(orphanResponse) });

export const destroyedResponse = z.object({ id: z.int(), status: z.literal('destroyed') });
