import { Global, Module, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { getOptionsToken, getStorageToken } from '@nestjs/throttler';
import { TrustProxy } from '#common';
import { AppConfig } from '#config';
import { AccessGuard } from './access/access.guard.js';
import { CallerPipe } from './access/caller.js';
import { AuthController } from './accounts/auth.controller.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { LoginService } from './accounts/login.service.js';
import { ProfileService } from './accounts/profile.service.js';
import { RegistrationService } from './accounts/registration.service.js';
import { Users } from './accounts/users.js';
import { AddressThrottlerGuard, throttlerOptions } from './limits/address-throttler.guard.js';
import { AuthLimits } from './limits/auth-limits.js';
import { LoginThrottle } from './limits/login-throttle.js';
import { HitCounterStorage } from './limits/throttler-storage.js';
import { AllowedOrigins } from './origins/allowed-origins.js';
import { CsrfGuard } from './origins/csrf.guard.js';
import { PasswordHasher, PasswordHasherOptions } from './passwords/password-hasher.js';
import { Authenticator } from './principals/authenticator.js';
import { PassportAuthentication } from './principals/passport-authentication.js';
import { AdminKeyStrategy, SessionStrategy, TokenStrategy } from './principals/strategies.js';
import { RedisConnection } from './redis/redis-connection.js';
import { storage } from './redis/storage.js';
import { LoginStates } from './sessions/login-states.js';
import { SessionCookie } from './sessions/session-cookie.js';
import { SessionRevocations } from './sessions/session-revocations.js';
import { SessionStore } from './sessions/session-store.js';
import { SessionSweeper } from './sessions/session-sweeper.js';
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

const principals: Provider[] = [
  Authenticator,
  SessionStrategy,
  AdminKeyStrategy,
  TokenStrategy,
  GatewayTokens,
  PassportAuthentication,
  SessionCookie,
  SessionRevocations,
  SessionsService,
  SessionSweeper,
  { provide: TrustProxy, useFactory: trustProxy, inject: [AppConfig] },
  AllowedOrigins,
  CallerPipe,
];

const accounts: Provider[] = [
  Users,
  RegistrationService,
  LoginService,
  ProfileService,
  FirstAdmin,
  PasswordHasher,
  { provide: PasswordHasherOptions, useValue: new PasswordHasherOptions() },
];

const twoFactors: Provider[] = [
  TotpFactors,
  SecondFactor,
  TotpService,
  RecentSignIn,
  CodeThrottle,
  AdminTwoFactors,
];

const limits: Provider[] = [
  LoginThrottle,
  { provide: AuthLimits, useValue: new AuthLimits() },
  { provide: getOptionsToken(), useFactory: throttlerOptions, inject: [AuthLimits] },
  { provide: getStorageToken(), useClass: HitCounterStorage },
];

/** In this order: a flood is turned away first, and CSRF asks which credential it was that counted. */
const guards: Provider[] = [AddressThrottlerGuard, AccessGuard, CsrfGuard].map((useClass) => ({
  provide: APP_GUARD,
  useClass,
}));

/**
 * Principals, accounts and sessions. Its guards hold for every controller of the application. Needs AppConfig, Clock,
 * DataSource, ControlConnection, and a {@link SliceAllocator} from above.
 */
@Global()
@Module({
  imports: [ScheduleModule.forRoot()],
  controllers: [AuthController, TotpController, GuestController],
  providers: [...storage, ...principals, ...accounts, ...twoFactors, ...limits, ...guards],
  exports: [
    Authenticator,
    RedisConnection,
    SessionStore,
    SessionRevocations,
    SessionsService,
    LoginStates,
    SessionCookie,
    AllowedOrigins,
    TrustProxy,
    CallerPipe,
    Users,
    GatewayTokens,
  ],
})
export class AuthModule {}

function trustProxy(config: AppConfig): TrustProxy {
  return new TrustProxy(config.http.trustProxy);
}
