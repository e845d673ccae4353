import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { getOptionsToken, getStorageToken } from '@nestjs/throttler';
import { TrustProxy } from '#common';
import { AppConfig } from '#config';
import { AccessGuard } from './access/access.guard.js';
import { ActingInterceptor } from './access/acting.interceptor.js';
import { CallerPipe } from './access/caller.js';
import { AccountController } from './accounts/account.controller.js';
import { AccountDeletion } from './accounts/account-deletion.js';
import { AccountExports } from './accounts/account-exports.js';
import { Reauthentication } from './accounts/reauthentication.js';
import { AuthController } from './accounts/auth.controller.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { FirstSlice } from './accounts/first-slice.js';
import { LoginService } from './accounts/login.service.js';
import { LogoutService } from './accounts/logout.service.js';
import { ProfileService } from './accounts/profile.service.js';
import { RegistrationService } from './accounts/registration.service.js';
import { Users } from './accounts/users.js';
import { ApiKeyCache } from './api-keys/api-key-cache.js';
import { ApiKeyGate } from './api-keys/api-key-gate.js';
import { ApiKeyRevocations } from './api-keys/api-key-revocations.js';
import { ApiKeyStore } from './api-keys/api-key-store.js';
import { ApiKeyUsage } from './api-keys/api-key-usage.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { AddressThrottlerGuard, throttlerOptions } from './limits/address-throttler.guard.js';
import { AddressLimit } from './limits/address-limit.js';
import { AuthLimits } from './limits/auth-limits.js';
import { HitCounter } from './limits/hit-counter.js';
import { LoginThrottle } from './limits/login-throttle.js';
import { SignUpThrottle } from './limits/sign-up-throttle.js';
import { HitCounterStorage } from './limits/throttler-storage.js';
import { LoginCookie } from './oidc/login-cookie.js';
import { oidcCallbackController } from './oidc/oidc-callback.controller.js';
import { OidcLoginController } from './oidc/oidc-login.controller.js';
import { oidcProviders } from './oidc/oidc-providers.js';
import { ProviderSessionGuard } from './oidc/provider-session.guard.js';
import { ProviderSessions } from './oidc/provider-sessions.js';
import { WhoAmIController } from './oidc/who-am-i.controller.js';
import { AllowedOrigins } from './origins/allowed-origins.js';
import { CsrfGuard } from './origins/csrf.guard.js';
import { LinkedPagesController } from './pages/linked-pages.controller.js';
import { PageErrorFilter } from './pages/page-error.filter.js';
import { PasswordChange } from './passwords/password-change.js';
import { PasswordHasher, PasswordHasherOptions } from './passwords/password-hasher.js';
import { PasswordReset } from './passwords/password-reset.js';
import { PasswordsController } from './passwords/passwords.controller.js';
import { Authenticator } from './principals/authenticator.js';
import { PassportAuthentication } from './principals/passport-authentication.js';
import { AdminKeyStrategy, ApiKeyStrategy, SessionStrategy, TokenStrategy } from './principals/strategies.js';
import { RedisConnection } from './redis/redis-connection.js';
import { storage } from './redis/storage.js';
import { DevicesService } from './sessions/devices.service.js';
import { LoginStates } from './sessions/login-states.js';
import { SessionCookie } from './sessions/session-cookie.js';
import { SessionRevocations } from './sessions/session-revocations.js';
import { SessionStore } from './sessions/session-store.js';
import { SessionSweeper } from './sessions/session-sweeper.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsService } from './sessions/sessions.service.js';
import { GatewayTokens } from './tokens/gateway-tokens.js';
import { GuestController } from './tokens/guest.controller.js';
import { AdminTwoFactors } from './totp/admin-two-factors.js';
import { CodeThrottle } from './totp/code-throttle.js';
import { RecentSignIn } from './totp/recent-sign-in.js';
import { SecondFactor } from './totp/second-factor.js';
import { TotpController } from './totp/totp.controller.js';
import { TotpFactors } from './totp/totp-factors.js';
import { TotpService } from './totp/totp.service.js';
import { AfterAnswer } from './verification/after-answer.js';
import { EmailVerification } from './verification/email-verification.js';
import { MailedLinks } from './verification/mailed-links.js';
import { MailLimits, MailThrottle } from './verification/mail-throttle.js';
import { OneTimeTokens } from './verification/one-time-tokens.js';
import { VerificationController } from './verification/verification.controller.js';

const principals: Provider[] = [
  Authenticator,
  SessionStrategy,
  AdminKeyStrategy,
  TokenStrategy,
  ApiKeyStrategy,
  GatewayTokens,
  PassportAuthentication,
  SessionCookie,
  SessionRevocations,
  SessionsService,
  DevicesService,
  SessionSweeper,
  { provide: TrustProxy, useFactory: trustProxy, inject: [AppConfig] },
  AllowedOrigins,
  CallerPipe,
];

const accounts: Provider[] = [
  Users,
  RegistrationService,
  LoginService,
  LogoutService,
  ProfileService,
  Reauthentication,
  AccountDeletion,
  AccountExports,
  FirstAdmin,
  FirstSlice,
  PasswordHasher,
  { provide: PasswordHasherOptions, useValue: new PasswordHasherOptions() },
];

const mailedLinks: Provider[] = [
  OneTimeTokens,
  MailedLinks,
  MailThrottle,
  { provide: MailLimits, useValue: new MailLimits() },
  AfterAnswer,
  EmailVerification,
  PasswordChange,
  PasswordReset,
  PageErrorFilter,
];

const twoFactors: Provider[] = [
  TotpFactors,
  SecondFactor,
  TotpService,
  RecentSignIn,
  CodeThrottle,
  AdminTwoFactors,
];

const apiKeys: Provider[] = [
  ApiKeysService,
  ApiKeyStore,
  ApiKeyCache,
  ApiKeyRevocations,
  ApiKeyUsage,
  ApiKeyGate,
];

const limits: Provider[] = [
  AddressLimit,
  LoginThrottle,
  SignUpThrottle,
  { provide: AuthLimits, useValue: new AuthLimits() },
  { provide: getOptionsToken(), useFactory: throttlerOptions, inject: [AuthLimits] },
  { provide: getStorageToken(), useClass: HitCounterStorage },
];

/**
 * In this order: a flood is turned away first, CSRF asks which credential it was that counted, and the OIDC provider is
 * asked only for a request that may pass.
 */
const guards: Provider[] = [AddressThrottlerGuard, AccessGuard, CsrfGuard, ProviderSessionGuard].map(
  (useClass) => ({
    provide: APP_GUARD,
    useClass,
  }),
);

/** Contract §10: the default of OIDC_REDIRECT_PATH. */
const DEFAULT_CALLBACK_PATH = '/auth/callback';

/**
 * Principals, accounts and sessions. Its guards hold for every controller of the application. Needs AppConfig, Clock,
 * DataSource, Transactions, ControlConnection, a Mailer, and a {@link SliceAllocator}, {@link SubscriptionReader} and
 * {@link BillingRecords} from above.
 */
@Global()
@Module({
  imports: [ScheduleModule.forRoot()],
  controllers: [
    AuthController,
    AccountController,
    SessionsController,
    TotpController,
    GuestController,
    OidcLoginController,
    WhoAmIController,
    VerificationController,
    PasswordsController,
    ApiKeysController,
    LinkedPagesController,
  ],
  providers: [
    ...storage,
    ...principals,
    ...accounts,
    ...mailedLinks,
    ...twoFactors,
    ...apiKeys,
    ...limits,
    ...oidcProviders,
    ...guards,
    { provide: APP_INTERCEPTOR, useClass: ActingInterceptor },
  ],
  exports: [
    Authenticator,
    AddressLimit,
    ApiKeyGate,
    ApiKeyRevocations,
    HitCounter,
    RedisConnection,
    SessionStore,
    SessionRevocations,
    SessionsService,
    LoginStates,
    SessionCookie,
    LoginCookie,
    ProviderSessions,
    AllowedOrigins,
    TrustProxy,
    CallerPipe,
    Users,
    TotpFactors,
    GatewayTokens,
  ],
})
export class AuthModule {
  /** With the callback of OpenID Connect where it is configured to be; without a provider it says that there is none. */
  static forRoot({ oidc }: AppConfig): DynamicModule {
    const callback = oidcCallbackController(oidc?.redirectPath ?? DEFAULT_CALLBACK_PATH);
    return { module: AuthModule, controllers: [callback] };
  }
}

function trustProxy(config: AppConfig): TrustProxy {
  return new TrustProxy(config.http.trustProxy);
}
