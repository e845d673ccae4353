import { StandardSchemaValidationPipe } from '@nestjs/common';
import { CoreError, type ErrorDetail } from './domain-error.js';

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** The issues of a schema as the `details` of an error: one entry per faulty field. */
export function detailsOf(issues: readonly Issue[]): ErrorDetail[] {
  return issues.map((issue) => ({
    path: (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.'),
    message: issue.message,
  }));
}

export function validationFailed(details: readonly ErrorDetail[]): CoreError {
  return new CoreError('VALIDATION_FAILED', 'The request is not valid; `details` names each faulty field.', {
    details,
  });
}

/** Checks `@Body({ schema })`, `@Query({ schema })` and `@Param(name, { schema })` against their schemas. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => validationFailed(detailsOf(issues)),
  });
}
