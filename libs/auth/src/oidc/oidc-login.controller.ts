import { Controller, Get, Headers, Query, Redirect, UseInterceptors } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiOperation, ApiResponse, ApiTags } from '#common';
import { Public } from '../access/access.js';
import { type Caller, FromCaller } from '../access/caller.js';
import { SetCookieInterceptor, type WithCookie } from '../accounts/with-cookie.js';
import { ApiErrors } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import { OidcLoginService, type RedirectTo } from './oidc-login.service.js';
import { type LoginQuery, loginQuerySchema } from './schemas.js';

@ApiTags('auth')
@Controller('auth')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE')
@ThrottledPerAddress()
@UseInterceptors(SetCookieInterceptor)
export class OidcLoginController {
  constructor(private readonly logins: OidcLoginService) {}

  @Get('login')
  @Public()
  @Redirect()
  @ApiOperation({
    summary: 'Sign in at the OpenID provider; to be opened by the browser itself',
    description:
      'Sends the browser to the provider, and from there back to `next` on `frontend_host`, signed in. The sign-in has to end within ten minutes, in the same browser, and works once.',
  })
  @ApiResponse({
    status: 302,
    description: 'To the authorization endpoint of the provider, with PKCE (S256), state and nonce',
    headers: { Location: { schema: { type: 'string', format: 'uri' } } },
  })
  @ApiErrors('VALIDATION_FAILED', 'OIDC_DISABLED', 'OIDC_PROVIDER_FAILED')
  login(
    @Query({ schema: loginQuerySchema }) query: LoginQuery,
    @Headers() headers: IncomingHttpHeaders,
    @FromCaller() caller: Caller,
  ): Promise<WithCookie<RedirectTo>> {
    return this.logins.begin(query, headers, caller);
  }
}
