import { Controller, Get, Query, Redirect, type Type, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '#common';
import { Public } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { SetCookieInterceptor, type WithCookie } from '../accounts/with-cookie.js';
import { ApiErrors } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import { OidcCallbackService } from './oidc-callback.service.js';
import type { RedirectTo } from './oidc-login.service.js';
import { type CallbackQuery, callbackQuerySchema } from './schemas.js';

/**
 * The controller of the callback. Its path is configured (`OIDC_REDIRECT_PATH`), and a decorator wants it before there
 * is any injection, so each application gets a class of its own.
 */
export function oidcCallbackController(path: string): Type {
  @ApiTags('auth')
  @Controller(path)
  @ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE')
  @ThrottledPerAddress()
  @UseInterceptors(SetCookieInterceptor)
  class OidcCallbackController {
    constructor(private readonly callbacks: OidcCallbackService) {}

    @Get()
    @Public()
    @Redirect()
    @ApiOperation({
      summary: 'The way back from the OpenID provider (`OIDC_REDIRECT_PATH`)',
      description:
        'Signs the browser in and sends it to where it wanted to go. A first sign-in makes an account, and gives it a slice. An account that is there already is taken by its e-mail address only when the provider says that the address is verified.',
    })
    @ApiResponse({
      status: 302,
      description: 'Signed in by the cookie; to `next` on the frontend',
      headers: { Location: { schema: { type: 'string', format: 'uri' } } },
    })
    @ApiErrors('VALIDATION_FAILED', 'OIDC_STATE_INVALID', 'OIDC_LOGIN_REFUSED', 'AMBIGUOUS_SESSION')
    @ApiErrors(
      'INVALID_CREDENTIALS',
      'ACCOUNT_DISABLED',
      'EMAIL_TAKEN',
      'OIDC_DISABLED',
      'OIDC_PROVIDER_FAILED',
    )
    callback(
      @Query({ schema: callbackQuerySchema }) query: CallbackQuery,
      @FromCaller() caller: Caller,
    ): Promise<WithCookie<RedirectTo>> {
      return this.callbacks.finish(query, caller);
    }
  }
  return OidcCallbackController;
}
