import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { type ErrorCode, statusOf } from '#common';

/** The one error shape, as `errorBody` of the common library renders it. */
const errorSchema = z
  .object({
    error: z.string(),
    code: z.string(),
    message: z.string(),
    status: z.int(),
    route: z.string(),
    requestId: z.string(),
    timestamp: z.iso.datetime(),
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Error' });

/** A decorator of a class, or of a method. */
type Decorate = (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => void;

const DOCUMENTED = 'sluice:documented-errors';

/**
 * Documents the errors an endpoint answers with. May be written more than once, by other decorators too; codes of the
 * same status are listed in one response.
 */
export function ApiErrors(...codes: readonly ErrorCode[]): MethodDecorator & ClassDecorator {
  const decorate: Decorate = (target, key, descriptor) => {
    const holder: object = descriptor?.value ?? target;
    const all = new Set([...documented(holder), ...codes]);
    Reflect.defineMetadata(DOCUMENTED, all, holder);
    for (const [status, ofStatus] of Map.groupBy(all, statusOf)) {
      const respond: Decorate = ApiResponse({
        status,
        description: ofStatus.toSorted().join(', '),
        standardSchema: errorSchema,
      });
      respond(target, key, descriptor);
    }
  };
  return decorate;
}

function documented(holder: object): ReadonlySet<ErrorCode> {
  const codes: ReadonlySet<ErrorCode> | undefined = Reflect.getOwnMetadata(DOCUMENTED, holder);
  return codes ?? new Set();
}
