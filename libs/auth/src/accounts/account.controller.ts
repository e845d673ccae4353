import { Body, Controller, Delete, Get, Header, HttpCode, UseInterceptors } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { RequireSession } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { CurrentSession } from '../access/current-principal.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { AccountDeletion } from './account-deletion.js';
import { AccountExports } from './account-exports.js';
import {
  type AccountDeletionRequest,
  accountDeletionSchema,
  type AccountExport,
  accountExportSchema,
} from './account-schemas.js';
import { SetCookieInterceptor, type WithCookie } from './with-cookie.js';

/** What the law gives a customer: to take along what is kept of them, and to leave (GDPR, articles 17 and 20). */
@ApiTags('account')
@Controller('account')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE')
@ThrottledPerAddress()
@UseInterceptors(SetCookieInterceptor)
export class AccountController {
  constructor(
    private readonly exports: AccountExports,
    private readonly deletion: AccountDeletion,
  ) {}

  @Get('export')
  @RequireSession()
  @Header('Content-Disposition', 'attachment; filename="account.json"')
  @ApiOperation({
    summary: 'Everything that is kept of the account',
    description: 'What is in the slice is the app’s own to export.',
  })
  @ApiOkResponse({ description: 'To be saved as a file', standardSchema: accountExportSchema })
  export(@CurrentSession() session: SessionPrincipal): Promise<AccountExport> {
    return this.exports.of(session);
  }

  @Delete()
  @RequireSession()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete the account; its slice stops at once, and its data goes after SLICE_RETENTION_DAYS',
    description: 'Ten minutes after the sign-in `password` is needed as well, or another sign-in.',
  })
  @ApiNoContentResponse({ description: 'The account is gone, and signed out everywhere' })
  @ApiErrors(
    ...BODY_ERRORS,
    'REAUTHENTICATION_REQUIRED',
    'INVALID_CREDENTIALS',
    'ADMIN_ACCOUNT',
    'LOGIN_BUSY',
  )
  delete(
    @CurrentSession() session: SessionPrincipal,
    @Body({ schema: accountDeletionSchema }) body: AccountDeletionRequest,
    @FromCaller() caller: Caller,
  ): Promise<WithCookie<undefined>> {
    return this.deletion.delete(session, body, caller);
  }
}
