import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { Public, RequireSession } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { CurrentUser } from '../access/current-principal.js';
import { type Registered, registeredSchema } from '../accounts/schemas.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { PrincipalUser } from '../principals/principal.js';
import { EmailVerification } from './email-verification.js';
import { type VerifyInput, verifySchema } from './schemas.js';

@ApiTags('auth')
@Controller('auth/verify')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE')
@ThrottledPerAddress()
export class VerificationController {
  constructor(private readonly verification: EmailVerification) {}

  @Post()
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Verify an e-mail address by the token of a mailed link' })
  @ApiOkResponse({ description: 'The address is verified', standardSchema: registeredSchema })
  @ApiErrors(...BODY_ERRORS, 'LINK_INVALID', 'CSRF_REJECTED')
  verify(@Body({ schema: verifySchema }) { token }: VerifyInput): Promise<Registered> {
    return this.verification.verify(token);
  }

  @Post('send')
  @RequireSession()
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail the link again; the earlier one works no more' })
  @ApiAcceptedResponse({ description: 'It is on its way, unless the address is verified already' })
  send(@CurrentUser() user: PrincipalUser, @FromCaller() caller: Caller): Promise<void> {
    return this.verification.sendAgain(user, caller);
  }
}
