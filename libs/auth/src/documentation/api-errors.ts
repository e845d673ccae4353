import { applyDecorators } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { z } from 'zod';
import { ApiResponse, type ErrorCode, statusOf } from '#common';

type Decorator = MethodDecorator & ClassDecorator;

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
    details: z
      .array(z.object({ path: z.string(), message: z.string(), line: z.int().nullable().optional() }))
      .optional(),
  })
  .meta({ id: 'Error' });

/** What an endpoint that reads a body can find wrong with it. */
export const BODY_ERRORS = [
  'VALIDATION_FAILED',
  'INVALID_JSON',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
] as const satisfies readonly ErrorCode[];

/**
 * Documents the errors an endpoint answers with, or every endpoint of a controller: one response a status, which lists
 * its codes. Decorators add up, so that each may document what it brings.
 */
export function ApiErrors(...codes: readonly ErrorCode[]): Decorator {
  const responses = applyDecorators(
    ...[...Map.groupBy(codes, statusOf)].map(([status, ofStatus]) =>
      ApiResponse({ status, description: ofStatus.join(', '), standardSchema: errorSchema }),
    ),
  );
  return (target: object, key?: string | symbol, handler?: PropertyDescriptor) => {
    if (typeof target === 'function' && handler === undefined) onEachHandler(target, responses);
    else responses(target, key, handler);
  };
}

/** The errors of a decorated response's description, each once; the inverse of what {@link ApiErrors} writes. */
export function codesOf(description: string): string[] {
  return [...new Set(description.split(/, |\n\n/))].toSorted();
}

/**
 * @nestjs/swagger lets a handler's response take the place of its controller's of the same status; here both hold.
 */
function onEachHandler(controller: { readonly prototype: object }, decorate: MethodDecorator): void {
  const { prototype } = controller;
  for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
    const handler = Object.getOwnPropertyDescriptor(prototype, name);
    if (handler !== undefined) decorate(prototype, name, handler);
  }
}
