import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiErrors, BODY_ERRORS, CurrentPrincipal, type Principal, RequireAdmin } from '#auth';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import {
  sessionId,
  type SessionView,
  sessionsResponse,
  type UserChange,
  userChangeSchema,
  userId,
  userResponse,
  type UsersPage,
  usersQuery,
  type UsersQuery,
  usersResponse,
  type UserView,
} from './schemas.js';
import { UserAdministration } from './user-administration.js';
import { UserDirectory } from './user-directory.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE', 'VALIDATION_FAILED')
@Controller('admin/users')
export class UsersController {
  constructor(
    private readonly users: UserDirectory,
    private readonly administration: UserAdministration,
  ) {}

  @Get()
  @ApiOperation({
    summary:
      'All accounts with their slices and subscriptions, the oldest first; `search` in their addresses',
  })
  @ApiOkResponse({ description: 'One page of accounts', standardSchema: usersResponse })
  page(@Query({ schema: usersQuery }) query: UsersQuery): Promise<UsersPage> {
    return this.users.page(query);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change the role of an account, or disable it',
    description:
      'A change ends its sessions, WebSockets and gateway tokens on every replica. Only an account whose address is ' +
      'verified becomes an admin.',
  })
  @ApiOkResponse({ description: 'The account as it is now', standardSchema: userResponse })
  @ApiErrors(...BODY_ERRORS, 'USER_NOT_FOUND', 'LAST_ADMIN', 'OWN_ACCOUNT', 'EMAIL_UNVERIFIED')
  change(
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: userChangeSchema }) change: UserChange,
    @CurrentPrincipal() by: Principal,
  ): Promise<UserView> {
    return this.administration.change(id, change, by);
  }

  @Post(':id/sign-out')
  @HttpCode(204)
  @ApiOperation({ summary: 'End all sessions, WebSockets and gateway tokens of an account' })
  @ApiNoContentResponse({ description: 'Signed out on every replica' })
  @ApiErrors('USER_NOT_FOUND')
  signOut(@Param('id', { schema: userId }) id: string, @CurrentPrincipal() by: Principal): Promise<void> {
    return this.administration.signOut(id, by);
  }

  @Get(':id/sessions')
  @ApiOperation({ summary: 'Where an account is signed in, the session used last first' })
  @ApiOkResponse({ description: 'Its live sessions', standardSchema: sessionsResponse })
  @ApiErrors('USER_NOT_FOUND')
  sessions(@Param('id', { schema: userId }) id: string): Promise<SessionView[]> {
    return this.administration.sessionsOf(id);
  }

  @Delete(':id/sessions/:sessionId')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one session of an account, with its WebSockets' })
  @ApiNoContentResponse({ description: 'Ended on every replica' })
  @ApiErrors('USER_NOT_FOUND', 'SESSION_NOT_FOUND')
  endSession(
    @Param('id', { schema: userId }) id: string,
    @Param('sessionId', { schema: sessionId }) session: string,
  ): Promise<void> {
    return this.administration.endSession(id, session);
  }

  @Delete(':id/totp')
  @HttpCode(204)
  @ApiOperation({
    summary:
      'Turn the two factors of an account off, for whoever has lost the authenticator and the recovery codes',
    description:
      'Its sessions, WebSockets and gateway tokens end with that. Make sure first who it is that asks.',
  })
  @ApiNoContentResponse({
    description: 'Two factors are off, and the account is signed out on every replica',
  })
  @ApiErrors('USER_NOT_FOUND', 'OWN_ACCOUNT')
  removeTotp(@Param('id', { schema: userId }) id: string, @CurrentPrincipal() by: Principal): Promise<void> {
    return this.administration.removeTotp(id, by);
  }
}
