import { describe, expect, it } from '@jest/globals';
import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from './codes.js';
import { statusOf } from './status-of.js';

/** The codes that the contract names, and their statuses. */
const CONTRACT: Partial<Record<ErrorCode, number>> = {
  VALIDATION_FAILED: 400,
  INVALID_JSON: 400,
  AMBIGUOUS_SESSION: 400,
  UNKNOWN_ROUTE: 400,
  OIDC_STATE_INVALID: 400,
  LINK_INVALID: 400,
  UNAUTHENTICATED: 401,
  MISSING_TOKEN: 401,
  SESSION_EXPIRED: 401,
  INVALID_CREDENTIALS: 401,
  TOTP_REQUIRED: 401,
  TOTP_INVALID: 401,
  PAYMENT_REQUIRED: 402,
  FORBIDDEN: 403,
  INVALID_TOKEN: 403,
  CSRF_REJECTED: 403,
  TOTP_ENROLMENT_REQUIRED: 403,
  NOT_FOUND: 404,
  OIDC_DISABLED: 404,
  CONFLICT: 409,
  EMAIL_TAKEN: 409,
  PASSWORD_NOT_SET: 409,
  NO_SLICE: 409,
  SLICE_IN_USE: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  URI_TOO_LONG: 414,
  BAD_GATEWAY: 502,
  MISSING_TARGET: 502,
  OIDC_PROVIDER_FAILED: 502,
  SLICE_FAILED: 502,
  SLICE_STARTING: 503,
  SLICE_STOPPED: 503,
  SESSION_STORE_UNAVAILABLE: 503,
  NO_FREE_PORT: 503,
  NO_HEALTHY_BACKEND: 503,
  GATEWAY_TIMEOUT: 504,
};

describe('the status of an error code', () => {
  it.each(Object.entries(CONTRACT))('%s is %i', (code, status) => {
    expect(statusOf(code as ErrorCode)).toBe(status);
    expect(STATUS_CODES[status]).toBeDefined();
  });

  it('is never made up: an unknown code is a defect', () => {
    expect(() => statusOf('NO_SUCH_CODE' as ErrorCode)).toThrow(TypeError);
  });
});
