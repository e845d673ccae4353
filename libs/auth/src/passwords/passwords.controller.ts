import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '#common';
import { Public, RequireSession } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { CurrentSession } from '../access/current-principal.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import {
  type PasswordChangeInput,
  passwordChangeSchema,
  type PasswordForgotInput,
  passwordForgotSchema,
  type PasswordResetInput,
  passwordResetSchema,
} from '../verification/schemas.js';
import { PasswordChange } from './password-change.js';
import { PasswordReset } from './password-reset.js';

@ApiTags('auth')
@Controller('auth/password')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE')
@ThrottledPerAddress()
export class PasswordsController {
  constructor(
    private readonly changes: PasswordChange,
    private readonly resets: PasswordReset,
  ) {}

  @Post()
  @RequireSession()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change the password, and sign out everywhere but here' })
  @ApiNoContentResponse({ description: 'Changed' })
  @ApiErrors(...BODY_ERRORS, 'INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'LOGIN_BUSY')
  change(
    @CurrentSession() session: SessionPrincipal,
    @Body({ schema: passwordChangeSchema }) body: PasswordChangeInput,
    @FromCaller() caller: Caller,
  ): Promise<void> {
    return this.changes.change(session, body, caller);
  }

  @Post('forgot')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail a link that resets the password, if there is such an account' })
  @ApiAcceptedResponse({ description: 'Whether or not there is one' })
  @ApiErrors(...BODY_ERRORS, 'CSRF_REJECTED')
  forgot(
    @Body({ schema: passwordForgotSchema }) { email }: PasswordForgotInput,
    @FromCaller() caller: Caller,
  ): Promise<void> {
    return this.resets.request(email, caller);
  }

  @Post('reset')
  @Public()
  @HttpCode(204)
  @ApiOperation({ summary: 'Set a new password by the token of a mailed link, and sign out everywhere' })
  @ApiNoContentResponse({ description: 'Changed; sign in with it' })
  @ApiErrors(...BODY_ERRORS, 'LINK_INVALID', 'LOGIN_BUSY', 'CSRF_REJECTED', 'SESSION_STORE_UNAVAILABLE')
  reset(
    @Body({ schema: passwordResetSchema }) body: PasswordResetInput,
    @FromCaller() caller: Caller,
  ): Promise<void> {
    return this.resets.reset(body, caller);
  }
}
