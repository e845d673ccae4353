export {
  type Access,
  type AdminCredential,
  Public,
  RequireAdmin,
  RequireApiKey,
  RequireSession,
} from './access/access.js';
export { type Caller, FromCaller } from './access/caller.js';
export { CurrentPrincipal, CurrentSession, CurrentUser } from './access/current-principal.js';
export { describeRoutes, type RouteDescription } from './access/describe-routes.js';
export { AccountToolsModule } from './accounts/account-tools.module.js';
export { Administrators } from './accounts/administrators.js';
export { SecretsRotation } from './accounts/secrets-rotation.js';
export { FirstSlice } from './accounts/first-slice.js';
export { type CustomerSlice, SliceAllocator } from './accounts/slice-allocator.js';
export type { BillingRecord } from './accounts/account-schemas.js';
export { BillingRecords } from './accounts/billing-records.js';
export { type CustomerSubscription, subscriptionSchema } from './accounts/schemas.js';
export { SubscriptionReader } from './accounts/subscription-reader.js';
export { publicUser } from './accounts/users.js';
export { API_KEY_PREFIX } from './api-keys/api-key.js';
export { ApiKeyGate, type KeyedRequest } from './api-keys/api-key-gate.js';
export { ApiKeyRevocations } from './api-keys/api-key-revocations.js';
export { ApiKeyUsage } from './api-keys/api-key-usage.js';
export { AuthModule } from './auth.module.js';
export { ApiErrors, BODY_ERRORS } from './documentation/api-errors.js';
export { type ForwardedEndpoint } from './documentation/forwarded-endpoint.js';
export { type DocumentOptions, openApiDocument } from './documentation/openapi-document.js';
export { AddressLimit } from './limits/address-limit.js';
export { ThrottledPerAddress } from './limits/address-throttler.guard.js';
export { AuthLimits } from './limits/auth-limits.js';
export { HitCounter } from './limits/hit-counter.js';
export { machineOf } from './limits/network-of.js';
export { rateLimited } from './limits/rate-limited.js';
export { LoginCookie } from './oidc/login-cookie.js';
export { ProviderSessions } from './oidc/provider-sessions.js';
export { AllowedOrigins } from './origins/allowed-origins.js';
export { corsHeaders, corsOptions, isPreflight, preflightHeaders } from './origins/cors.js';
export { csrfRejected } from './origins/csrf.guard.js';
export { type CsrfVerdict, csrfVerdict, type RequestProvenance } from './origins/csrf-verdict.js';
export { PasswordHasherOptions } from './passwords/password-hasher.js';
export { Authenticator, type CredentialHeaders, theOneSession } from './principals/authenticator.js';
export { principalOf } from './principals/principal-of.js';
export type {
  AdminKeyPrincipal,
  ApiKeyPrincipal,
  Principal,
  PrincipalUser,
  SessionPrincipal,
  TokenPrincipal,
} from './principals/principal.js';
export { RedisConnection } from './redis/redis-connection.js';
export { RedisLoginStates } from './redis/redis-login-states.js';
export { RedisSessionStore } from './redis/redis-session-store.js';
export { LoginStates } from './sessions/login-states.js';
export { PostgresLoginStates } from './sessions/postgres-login-states.js';
export { PostgresSessionStore } from './sessions/postgres-session-store.js';
export { type ProviderTokens } from './sessions/provider-tokens.js';
export { sessionFacts } from './sessions/devices.service.js';
export { type SessionFacts, sessionSummary } from './sessions/schemas.js';
export { SessionCookie } from './sessions/session-cookie.js';
export { hashSessionId, newSessionId } from './sessions/session-id.js';
export { SessionRevocations, type SessionRevocation } from './sessions/session-revocations.js';
export {
  type NewSession,
  SessionStore,
  type SessionSummary,
  TOUCH_INTERVAL_MS,
} from './sessions/session-store.js';
export { type Ending, type Opening, SessionsService } from './sessions/sessions.service.js';
export { recordsOfFile } from './user-import/records-of-file.js';
export { UserFileFault, type ImportOptions, type ImportReport } from './user-import/report.js';
export { TotpFactors } from './totp/totp-factors.js';
export { UserImport } from './user-import/user-import.js';
export { MailLimits } from './verification/mail-throttle.js';
export { GatewayTokens, opensRoute } from './tokens/gateway-tokens.js';
