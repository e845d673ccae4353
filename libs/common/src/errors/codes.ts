/**
 * Every error code the outside can see, by domain. A code is part of the public contract: it never changes its
 * meaning, and it is never reused.
 */

/** Faults that any endpoint can answer with. */
export type CoreErrorCode =
  | 'VALIDATION_FAILED'
  | 'INVALID_JSON'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CONFLICT'
  | 'PRECONDITION_FAILED'
  | 'RANGE_NOT_SATISFIABLE'
  | 'RATE_LIMITED'
  | 'DATABASE_UNAVAILABLE'
  | 'SHUTTING_DOWN'
  | 'INTERNAL_ERROR';

export type AuthErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'INVALID_CREDENTIALS'
  | 'AMBIGUOUS_SESSION'
  | 'ACCOUNT_DISABLED'
  | 'EMAIL_TAKEN'
  | 'REGISTERED_NOT_SIGNED_IN'
  | 'API_KEY_FORBIDDEN'
  | 'LINK_INVALID'
  | 'PASSWORD_NOT_SET'
  | 'CSRF_REJECTED'
  | 'REAUTHENTICATION_REQUIRED'
  | 'TOTP_REQUIRED'
  | 'TOTP_INVALID'
  | 'TOTP_ENROLMENT_REQUIRED'
  | 'TOTP_ALREADY_ENABLED'
  | 'TOTP_NOT_ENROLLED'
  | 'UNKNOWN_ROUTE'
  | 'SESSION_EXPIRED'
  | 'OIDC_DISABLED'
  | 'OIDC_STATE_INVALID'
  | 'OIDC_LOGIN_REFUSED'
  | 'OIDC_PROVIDER_FAILED'
  | 'SESSION_STORE_UNAVAILABLE'
  | 'ADMIN_ACCOUNT'
  | 'LOGIN_BUSY';

export type OrchestratorErrorCode =
  | 'SLICE_NOT_FOUND'
  | 'SLICE_IN_USE'
  | 'SLICE_NAME_TAKEN'
  | 'SLICE_MANAGED'
  | 'SLICE_NOT_MANAGED'
  | 'SLICE_ADDRESS_TAKEN'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'NO_FREE_PORT'
  | 'SLICE_BUDGET_EXHAUSTED'
  | 'SLICE_PROVISIONING_FAILED'
  | 'SLICE_PROVISIONING_TIMEOUT'
  | 'RUNTIME_UNAVAILABLE'
  | 'SLICE_DESTROY_FAILED'
  | 'SLICE_UNHEALTHY';

export type ProxyErrorCode =
  | 'NO_SLICE'
  | 'SLICE_STARTING'
  | 'SLICE_STOPPED'
  | 'SLICE_FAILED'
  | 'SLICE_BUSY'
  | 'UPSTREAM_BUSY'
  | 'NO_HEALTHY_BACKEND'
  | 'MISSING_TARGET'
  | 'MISSING_TOKEN'
  | 'INVALID_TOKEN'
  | 'LOOP_DETECTED'
  | 'PAYMENT_REQUIRED'
  | 'BAD_GATEWAY'
  | 'GATEWAY_TIMEOUT'
  | 'CLIENT_CLOSED_REQUEST'
  | 'BAD_REQUEST'
  | 'EXPECTATION_FAILED'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'URI_TOO_LONG'
  | 'METHOD_NOT_IMPLEMENTED';

export type BillingErrorCode =
  | 'BILLING_DISABLED'
  | 'BILLING_BUSY'
  | 'ALREADY_SUBSCRIBED'
  | 'NOT_SUBSCRIBED'
  | 'WEBHOOK_REJECTED'
  | 'PAYMENT_PROVIDER_FAILED'
  | 'PAYMENT_PROVIDER_UNAVAILABLE';

export type AdminErrorCode =
  | 'USER_NOT_FOUND'
  | 'SESSION_NOT_FOUND'
  | 'POOL_NOT_FOUND'
  | 'BACKEND_NOT_FOUND'
  | 'SET_BY_CONFIG_FILE'
  | 'CONFIG_FILE_NOT_FOUND'
  | 'LAST_ADMIN'
  | 'OWN_ACCOUNT'
  | 'EMAIL_UNVERIFIED';

export type ErrorCode =
  CoreErrorCode | AuthErrorCode | OrchestratorErrorCode | ProxyErrorCode | BillingErrorCode | AdminErrorCode;

/** The part of Sluice that answers; it stands as `route` in every error body. */
export type RouteName = 'core' | 'auth' | 'orchestrator' | 'proxy' | 'admin' | 'billing' | 'monitor';
