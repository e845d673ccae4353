import type { ErrorCode } from '#common';
import { BODY_ERRORS } from '#auth';

/** What the endpoints answer with, for the OpenAPI document. */

/** Of a slice that is named by its id. */
export const ADDRESS_ERRORS = [
  'VALIDATION_FAILED',
  'SLICE_NOT_FOUND',
] as const satisfies readonly ErrorCode[];

/** Of bringing a slice up, or down, while the caller waits. */
export const START_ERRORS = [
  ...ADDRESS_ERRORS,
  'NO_FREE_PORT',
  'RUNTIME_UNAVAILABLE',
  'SLICE_PROVISIONING_FAILED',
  'SLICE_PROVISIONING_TIMEOUT',
] as const satisfies readonly ErrorCode[];

export const PROVISION_ERRORS = [
  ...BODY_ERRORS,
  'IDEMPOTENCY_KEY_REUSED',
  'SLICE_NAME_TAKEN',
  'SLICE_IN_USE',
  'NO_FREE_PORT',
  'SLICE_BUDGET_EXHAUSTED',
  'RUNTIME_UNAVAILABLE',
  'SLICE_PROVISIONING_FAILED',
  'SLICE_PROVISIONING_TIMEOUT',
] as const satisfies readonly ErrorCode[];

export const DESTRUCTION_ERRORS = [
  ...ADDRESS_ERRORS,
  'SLICE_IN_USE',
  'RUNTIME_UNAVAILABLE',
  'SLICE_DESTROY_FAILED',
  'SLICE_PROVISIONING_TIMEOUT',
] as const satisfies readonly ErrorCode[];
