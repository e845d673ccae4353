import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { RequireSession } from '../access/access.js';
import { CurrentSession } from '../access/current-principal.js';
import { ApiErrors } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { type WhoAmI, whoAmISchema } from './schemas.js';
import { WhoAmIService } from './who-am-i.service.js';

@ApiTags('auth')
@Controller('whoami')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE')
@ThrottledPerAddress()
export class WhoAmIController {
  constructor(private readonly whoAmI: WhoAmIService) {}

  @Get('me')
  @RequireSession()
  @ApiOperation({ summary: "What the identity provider tells of the user; without one, the account's own" })
  @ApiOkResponse({ description: 'The user', standardSchema: whoAmISchema })
  @ApiErrors('OIDC_PROVIDER_FAILED')
  me(@CurrentSession() session: SessionPrincipal): Promise<WhoAmI> {
    return this.whoAmI.describe(session);
  }
}
