import { assertNever } from '../assert-never.js';
import type { ErrorCode } from './codes.js';

/**
 * The HTTP status of an error code. The switch is exhaustive: a code without a status does not compile.
 * 499 is nginx's status for a client that went away; it is only ever logged.
 */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'VALIDATION_FAILED':
    case 'INVALID_JSON':
    case 'AMBIGUOUS_SESSION':
    case 'LINK_INVALID':
    case 'OIDC_STATE_INVALID':
    case 'OIDC_LOGIN_REFUSED':
    case 'BAD_REQUEST':
    case 'UNKNOWN_ROUTE':
    case 'WEBHOOK_REJECTED':
      return 400;
    case 'UNAUTHENTICATED':
    case 'SESSION_EXPIRED':
    case 'INVALID_CREDENTIALS':
    case 'MISSING_TOKEN':
    case 'TOTP_REQUIRED':
    case 'TOTP_INVALID':
      return 401;
    case 'PAYMENT_REQUIRED':
      return 402;
    case 'FORBIDDEN':
    case 'ACCOUNT_DISABLED':
    case 'CSRF_REJECTED':
    case 'API_KEY_FORBIDDEN':
    case 'INVALID_TOKEN':
    case 'REAUTHENTICATION_REQUIRED':
    case 'TOTP_ENROLMENT_REQUIRED':
      return 403;
    case 'NOT_FOUND':
    case 'OIDC_DISABLED':
    case 'SLICE_NOT_FOUND':
    case 'USER_NOT_FOUND':
    case 'SESSION_NOT_FOUND':
    case 'POOL_NOT_FOUND':
    case 'BACKEND_NOT_FOUND':
    case 'CONFIG_FILE_NOT_FOUND':
      return 404;
    case 'METHOD_NOT_ALLOWED':
      return 405;
    case 'REQUEST_TIMEOUT':
      return 408;
    case 'CONFLICT':
    case 'EMAIL_TAKEN':
    case 'PASSWORD_NOT_SET':
    case 'TOTP_ALREADY_ENABLED':
    case 'TOTP_NOT_ENROLLED':
    case 'NO_SLICE':
    case 'SLICE_IN_USE':
    case 'SLICE_NAME_TAKEN':
    case 'SLICE_MANAGED':
    case 'SLICE_NOT_MANAGED':
    case 'SLICE_ADDRESS_TAKEN':
    case 'IDEMPOTENCY_KEY_REUSED':
    case 'LAST_ADMIN':
    case 'ADMIN_ACCOUNT':
    case 'OWN_ACCOUNT':
    case 'SET_BY_CONFIG_FILE':
    case 'EMAIL_UNVERIFIED':
    case 'ALREADY_SUBSCRIBED':
    case 'NOT_SUBSCRIBED':
      return 409;
    case 'PRECONDITION_FAILED':
      return 412;
    case 'BODY_TOO_LARGE':
      return 413;
    case 'URI_TOO_LONG':
      return 414;
    case 'UNSUPPORTED_MEDIA_TYPE':
      return 415;
    case 'RANGE_NOT_SATISFIABLE':
      return 416;
    case 'EXPECTATION_FAILED':
      return 417;
    case 'RATE_LIMITED':
    case 'LOGIN_BUSY':
      return 429;
    case 'HEADERS_TOO_LARGE':
      return 431;
    case 'CLIENT_CLOSED_REQUEST':
      return 499;
    case 'INTERNAL_ERROR':
      return 500;
    case 'METHOD_NOT_IMPLEMENTED':
      return 501;
    case 'BAD_GATEWAY':
    case 'MISSING_TARGET':
    case 'OIDC_PROVIDER_FAILED':
    case 'SLICE_FAILED':
    case 'SLICE_PROVISIONING_FAILED':
    case 'SLICE_DESTROY_FAILED':
    case 'SLICE_UNHEALTHY':
    case 'PAYMENT_PROVIDER_FAILED':
      return 502;
    case 'DATABASE_UNAVAILABLE':
    case 'REGISTERED_NOT_SIGNED_IN':
    case 'SESSION_STORE_UNAVAILABLE':
    case 'SHUTTING_DOWN':
    case 'SLICE_STARTING':
    case 'SLICE_STOPPED':
    case 'SLICE_BUSY':
    case 'UPSTREAM_BUSY':
    case 'NO_HEALTHY_BACKEND':
    case 'NO_FREE_PORT':
    case 'SLICE_BUDGET_EXHAUSTED':
    case 'RUNTIME_UNAVAILABLE':
    case 'BILLING_DISABLED':
    case 'BILLING_BUSY':
    case 'PAYMENT_PROVIDER_UNAVAILABLE':
      return 503;
    case 'GATEWAY_TIMEOUT':
    case 'SLICE_PROVISIONING_TIMEOUT':
      return 504;
    case 'LOOP_DETECTED':
      return 508;
    default:
      return assertNever(code);
  }
}
