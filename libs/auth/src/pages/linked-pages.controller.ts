import { Body, Controller, Get, Header, HttpCode, Post, Query, UseFilters } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Public } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
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
import { passwordChangedPage, passwordPage, verifiedPage, verifyPage } from './linked-pages.js';
import { PAGE_POLICY, PAGE_TYPE } from './page.js';
import { PageErrorFilter } from './page-error.filter.js';

/** For people: what a mailed link opens, and what its button posts to. Errors are pages as well. */
@ApiTags('auth')
@ApiProduces('text/html')
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
  @Header('Content-Type', PAGE_TYPE)
  @Header('Content-Security-Policy', PAGE_POLICY)
  @ApiOperation({ summary: 'The page of the mailed link; it asks before it uses the token' })
  @ApiOkResponse({ description: 'A page with a button', schema: { type: 'string' } })
  @ApiErrors('VALIDATION_FAILED', 'RATE_LIMITED')
  verifyPage(@Query({ schema: linkQuerySchema }) { token }: LinkQuery): string {
    return verifyPage(token);
  }

  @Post('verify/page')
  @Public()
  @HttpCode(200)
  @Header('Content-Type', PAGE_TYPE)
  @Header('Content-Security-Policy', PAGE_POLICY)
  @ApiOperation({ summary: 'POST /auth/verify for that page' })
  @ApiOkResponse({ description: 'A page that says thank you', schema: { type: 'string' } })
  @ApiErrors(...BODY_ERRORS, 'LINK_INVALID', 'CSRF_REJECTED', 'RATE_LIMITED', 'DATABASE_UNAVAILABLE')
  async verify(@Body({ schema: verifySchema }) { token }: VerifyInput): Promise<string> {
    await this.verification.verify(token);
    return verifiedPage();
  }

  @Get('password/reset')
  @Public()
  @Header('Content-Type', PAGE_TYPE)
  @Header('Content-Security-Policy', PAGE_POLICY)
  @ApiOperation({ summary: 'The page of the mailed link that resets a password' })
  @ApiOkResponse({ description: 'A page that asks for the new password', schema: { type: 'string' } })
  @ApiErrors('VALIDATION_FAILED', 'RATE_LIMITED')
  passwordPage(@Query({ schema: linkQuerySchema }) { token }: LinkQuery): string {
    return passwordPage(token);
  }

  @Post('password/reset/page')
  @Public()
  @HttpCode(200)
  @Header('Content-Type', PAGE_TYPE)
  @Header('Content-Security-Policy', PAGE_POLICY)
  @ApiOperation({ summary: 'POST /auth/password/reset for that page' })
  @ApiOkResponse({ description: 'A page that says it is done', schema: { type: 'string' } })
  @ApiErrors(...BODY_ERRORS, 'LINK_INVALID', 'CSRF_REJECTED', 'RATE_LIMITED', 'LOGIN_BUSY')
  @ApiErrors('DATABASE_UNAVAILABLE')
  async resetPassword(
    @Body({ schema: passwordResetSchema }) body: PasswordResetInput,
    @FromCaller() caller: Caller,
  ): Promise<string> {
    await this.resets.reset(body, caller);
    return passwordChangedPage();
  }
}
