import { Body, Controller, Delete, Header, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { RequireSession } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { CurrentSession } from '../access/current-principal.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import {
  type Confirmation,
  confirmationSchema,
  type Enrolment,
  type EnrolmentRequest,
  enrolmentRequestSchema,
  enrolmentSchema,
  type RecoveryCodes,
  recoveryCodesSchema,
  type Removal,
  removalSchema,
} from './schemas.js';
import { TotpService } from './totp.service.js';

@ApiTags('auth')
@Controller('auth/totp')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE', ...BODY_ERRORS)
@ThrottledPerAddress()
export class TotpController {
  constructor(private readonly totp: TotpService) {}

  @Post('enroll')
  @RequireSession()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Begin to set up two factors',
    description: 'Ten minutes after the sign-in `password` is needed as well, or another sign-in.',
  })
  @ApiOkResponse({ description: 'What an authenticator app scans', standardSchema: enrolmentSchema })
  @ApiErrors('REAUTHENTICATION_REQUIRED', 'INVALID_CREDENTIALS', 'TOTP_ALREADY_ENABLED', 'LOGIN_BUSY')
  enroll(
    @CurrentSession() session: SessionPrincipal,
    @Body({ schema: enrolmentRequestSchema }) body: EnrolmentRequest,
    @FromCaller() caller: Caller,
  ): Promise<Enrolment> {
    return this.totp.enroll(session, body, caller);
  }

  @Post('confirm')
  @RequireSession()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Turn two factors on by a first code; all other sessions of the account end' })
  @ApiOkResponse({
    description: 'Ten codes for a lost authenticator, each of which works once; they are shown this once',
    standardSchema: recoveryCodesSchema,
  })
  @ApiErrors('TOTP_INVALID', 'TOTP_NOT_ENROLLED', 'TOTP_ALREADY_ENABLED')
  confirm(
    @CurrentSession() session: SessionPrincipal,
    @Body({ schema: confirmationSchema }) body: Confirmation,
  ): Promise<RecoveryCodes> {
    return this.totp.confirm(session, body);
  }

  @Delete()
  @RequireSession()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Turn two factors off',
    description:
      'Ten minutes after the sign-in `code` is needed as well (of the authenticator app, or a recovery code), or ' +
      'another sign-in.',
  })
  @ApiNoContentResponse({ description: 'Two factors are off' })
  @ApiErrors('REAUTHENTICATION_REQUIRED', 'TOTP_INVALID', 'CONFLICT')
  remove(
    @CurrentSession() session: SessionPrincipal,
    @Body({ schema: removalSchema }) body: Removal,
  ): Promise<void> {
    return this.totp.remove(session, body);
  }
}
