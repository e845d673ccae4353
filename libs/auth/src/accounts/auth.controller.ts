import { Body, Controller, Get, HttpCode, Post, UseInterceptors } from '@nestjs/common';
import { z } from 'zod';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { Public, RequireSession } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { CurrentSession } from '../access/current-principal.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { LoginService } from './login.service.js';
import { LogoutService } from './logout.service.js';
import { ProfileService } from './profile.service.js';
import { RegistrationService } from './registration.service.js';
import {
  type LoginInput,
  loginSchema,
  type Profile,
  profileSchema,
  type Registered,
  registeredSchema,
  type RegistrationInput,
  registrationSchema,
  type SignedIn,
  signedInSchema,
} from './schemas.js';
import { type AdminTokenIssued, adminTokenSchema } from '../tokens/schemas.js';
import { SetCookieInterceptor, type WithCookie } from './with-cookie.js';

@ApiTags('auth')
@Controller('auth')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE')
@ThrottledPerAddress()
@UseInterceptors(SetCookieInterceptor)
export class AuthController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly logins: LoginService,
    private readonly logouts: LogoutService,
    private readonly profiles: ProfileService,
  ) {}

  @Post('register')
  @Public()
  @ApiOperation({ summary: 'Sign up, get a slice, and be signed in' })
  @ApiCreatedResponse({
    description: 'Signed up, and signed in by the cookie',
    standardSchema: registeredSchema,
  })
  @ApiErrors(...BODY_ERRORS, 'EMAIL_TAKEN', 'AMBIGUOUS_SESSION', 'CSRF_REJECTED', 'LOGIN_BUSY')
  @ApiErrors('REGISTERED_NOT_SIGNED_IN')
  register(
    @Body({ schema: registrationSchema }) body: RegistrationInput,
    @FromCaller() caller: Caller,
  ): Promise<WithCookie<Registered>> {
    return this.registration.register(body, caller);
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Sign in with e-mail address and password',
    description: 'With `username` in the place of `email` an admin gets a gateway token and no cookie.',
  })
  @ApiOkResponse({
    description: 'Signed in by the cookie, or by the token',
    standardSchema: z.union([signedInSchema, adminTokenSchema]),
  })
  @ApiErrors(...BODY_ERRORS, 'INVALID_CREDENTIALS', 'ACCOUNT_DISABLED', 'LOGIN_BUSY')
  @ApiErrors('TOTP_REQUIRED', 'TOTP_INVALID', 'TOTP_ENROLMENT_REQUIRED')
  @ApiErrors('AMBIGUOUS_SESSION', 'CSRF_REJECTED')
  login(
    @Body({ schema: loginSchema }) body: LoginInput,
    @FromCaller() caller: Caller,
  ): Promise<WithCookie<SignedIn | AdminTokenIssued>> {
    return this.logins.login(body, caller);
  }

  @Post('logout')
  @Public()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out on every replica; also without a session' })
  @ApiNoContentResponse({ description: 'Signed out' })
  @ApiErrors('AMBIGUOUS_SESSION', 'CSRF_REJECTED')
  logout(@FromCaller() caller: Caller): Promise<WithCookie<undefined>> {
    return this.logouts.logout(caller);
  }

  @Get('me')
  @RequireSession()
  @ApiOperation({ summary: 'Who is signed in and what they have; extends the session' })
  @ApiOkResponse({ description: 'The customer', standardSchema: profileSchema })
  me(
    @CurrentSession() session: SessionPrincipal,
    @FromCaller() caller: Caller,
  ): Promise<WithCookie<Profile>> {
    return this.profiles.profileOf(session, caller);
  }
}
