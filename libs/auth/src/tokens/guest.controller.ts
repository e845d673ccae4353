import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { Public } from '../access/access.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import { GatewayTokens } from './gateway-tokens.js';
import { type GuestRequest, guestRequestSchema, type GuestTokenIssued, guestTokenSchema } from './schemas.js';

@ApiTags('auth')
@Controller('auth/guest')
@ThrottledPerAddress()
export class GuestController {
  constructor(private readonly tokens: GatewayTokens) {}

  @Post()
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Get a token for a route that is open to guests, for a quarter of an hour' })
  @ApiOkResponse({ description: 'The token, for `Authorization: Bearer`', standardSchema: guestTokenSchema })
  @ApiErrors('RATE_LIMITED', ...BODY_ERRORS, 'UNKNOWN_ROUTE', 'CSRF_REJECTED')
  async guest(@Body({ schema: guestRequestSchema }) body: GuestRequest): Promise<GuestTokenIssued> {
    return { success: true, ...(await this.tokens.forGuest(body.route)) };
  }
}
