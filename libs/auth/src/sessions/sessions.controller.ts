import { Controller, Delete, Get, Header, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { RequireSession } from '../access/access.js';
import { CurrentSession } from '../access/current-principal.js';
import { SetCookieInterceptor, type WithCookie } from '../accounts/with-cookie.js';
import { ApiErrors } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { DevicesService } from './devices.service.js';
import { type Device, deviceId, devicesSchema } from './schemas.js';

@ApiTags('auth')
@Controller('auth')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE')
@ThrottledPerAddress()
@UseInterceptors(SetCookieInterceptor)
export class SessionsController {
  constructor(private readonly devices: DevicesService) {}

  @Get('sessions')
  @RequireSession()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The browsers one is signed in with, the one used last first' })
  @ApiOkResponse({ description: 'The caller’s own sessions', standardSchema: devicesSchema })
  list(@CurrentSession() session: SessionPrincipal): Promise<Device[]> {
    return this.devices.list(session);
  }

  @Delete('sessions/:id')
  @RequireSession()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign one browser out, on every replica and with its WebSockets' })
  @ApiNoContentResponse({ description: 'Signed out; the caller’s own loses its cookie' })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  end(
    @CurrentSession() session: SessionPrincipal,
    @Param('id', { schema: deviceId }) id: string,
  ): Promise<WithCookie<undefined>> {
    return this.devices.end(session, id);
  }

  @Post('logout-all')
  @RequireSession()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out everywhere: all sessions and gateway tokens of the account' })
  @ApiNoContentResponse({ description: 'Signed out' })
  endAll(@CurrentSession() session: SessionPrincipal): Promise<WithCookie<undefined>> {
    return this.devices.endAll(session);
  }
}
