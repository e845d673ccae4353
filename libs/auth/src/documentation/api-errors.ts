import { applyDecorators } from '@nestjs/common';
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

/**
 * Documents the errors an endpoint answers with, one response a status, which lists its codes. What several of these
 * say of one status is put together by @nestjs/swagger, so that each decorator may document its own.
 */
export function ApiErrors(...codes: readonly ErrorCode[]): MethodDecorator & ClassDecorator {
  const byStatus = [...Map.groupBy(codes, statusOf)];
  return applyDecorators(
    ...byStatus.map(([status, ofStatus]) =>
      ApiResponse({ status, description: ofStatus.toSorted().join(', '), standardSchema: errorSchema }),
    ),
  );
}
