import { Body, Controller, Get, HttpCode, Post, Query, UseFilters } from '@nestjs/common';
import type { ErrorCode } from '#common';
import { ApiConsumes, ApiOperation, ApiTags } from '#common';
import { Public } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import { PasswordReset } from '../passwords/password-reset.js';
import { EmailVerification } from '../verification/email-verification.js';
import {
  type LinkQuery,
  linkQuerySchema,
  type PasswordResetInput,
  passwordResetSchema,
  type VerifyInput,
  verifySchema,
} from '../verification/schemas.js';
import { AnswersPage } from './answers-page.js';
import { passwordChangedPage, passwordPage, verifiedPage, verifyPage } from './linked-pages.js';
import { PageErrorFilter } from './page-error.filter.js';

const OPEN_ERRORS = ['VALIDATION_FAILED', 'RATE_LIMITED'] as const satisfies readonly ErrorCode[];
const USE_ERRORS = [
  ...BODY_ERRORS,
  'LINK_INVALID',
  'CSRF_REJECTED',
  'RATE_LIMITED',
  'DATABASE_UNAVAILABLE',
] as const satisfies readonly ErrorCode[];

const FORM = 'application/x-www-form-urlencoded';

/** For people: what a mailed link opens, and what its button posts to. Errors are pages as well. */
@ApiTags('auth')
@Controller('auth')
@ThrottledPerAddress()
@UseFilters(PageErrorFilter)
export class LinkedPagesController {
  constructor(
    private readonly verification: EmailVerification,
    private readonly resets: PasswordReset,
  ) {}

  @Get('verify')
  @Public()
  @ApiOperation({ summary: 'The page of the mailed link; it asks before it uses the token' })
  @AnswersPage('A page with a button', ...OPEN_ERRORS)
  verifyPage(@Query({ schema: linkQuerySchema }) { token }: LinkQuery): string {
    return verifyPage(token);
  }

  @Post('verify/page')
  @Public()
  @HttpCode(200)
  @ApiConsumes(FORM)
  @ApiOperation({ summary: 'POST /auth/verify for that page' })
  @AnswersPage('A page that says thank you', ...USE_ERRORS)
  async verify(@Body({ schema: verifySchema }) { token }: VerifyInput): Promise<string> {
    await this.verification.verify(token);
    return verifiedPage();
  }

  @Get('password/reset')
  @Public()
  @ApiOperation({ summary: 'The page of the mailed link that resets a password' })
  @AnswersPage('A page that asks for the new password', ...OPEN_ERRORS)
  passwordPage(@Query({ schema: linkQuerySchema }) { token }: LinkQuery): string {
    return passwordPage(token);
  }

  @Post('password/reset/page')
  @Public()
  @HttpCode(200)
  @ApiConsumes(FORM)
  @ApiOperation({ summary: 'POST /auth/password/reset for that page' })
  @AnswersPage('A page that says it is done', ...USE_ERRORS, 'LOGIN_BUSY', 'SESSION_STORE_UNAVAILABLE')
  async resetPassword(
    @Body({ schema: passwordResetSchema }) body: PasswordResetInput,
    @FromCaller() caller: Caller,
  ): Promise<string> {
    await this.resets.reset(body, caller);
    return passwordChangedPage();
  }
}
