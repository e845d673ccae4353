import { z } from 'zod';
import type { ProviderEvent } from './payment-provider.js';

const reference = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

/**
 * What of an event counts: the rest is read anew, since an event tells how things were. So an event of another version of
 * the API is as good.
 */
const eventSchema = z.object({
  id: z.string().min(1).max(255),
  type: z.string().max(255),
  created: z.number(),
  data: z.object({
    object: z.looseObject({
      id: z.string().optional(),
      object: z.string().optional(),
      customer: reference.nullish(),
      charge: reference.nullish(),
    }),
  }),
});

/** @throws ZodError when it is no event */
export function eventOf(json: unknown): ProviderEvent {
  const { id, type, created, data } = eventSchema.parse(json);
  const { object } = data;
  const objectId = object.id ?? null;
  return {
    id,
    type,
    createdAt: new Date(created * 1000),
    objectId,
    customerId: object.object === 'customer' ? objectId : (object.customer ?? null),
    chargeId: object.charge ?? null,
  };
}
