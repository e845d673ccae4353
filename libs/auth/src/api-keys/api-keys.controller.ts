import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '#common';
import { RequireAdmin } from '../access/access.js';
import { ApiErrors, BODY_ERRORS } from '../documentation/api-errors.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import { ApiKeysService } from './api-keys.service.js';
import {
  apiKeyListSchema,
  type ApiKeyView,
  type GeneratedApiKey,
  generatedApiKeySchema,
  keyIdSchema,
  keyQuerySchema,
  type NewApiKeyInput,
  newApiKeySchema,
  type Revoked,
  revokedSchema,
} from './schemas.js';

@ApiTags('api keys')
@Controller('api/apikeys')
@ApiErrors('RATE_LIMITED', 'DATABASE_UNAVAILABLE')
@ThrottledPerAddress('apiKeys')
@RequireAdmin('keyOrSession')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post('generate')
  @ApiOperation({ summary: 'Make the key of a worker; it is shown this once' })
  @ApiCreatedResponse({ description: 'The key', standardSchema: generatedApiKeySchema })
  @ApiErrors(...BODY_ERRORS)
  generate(@Body({ schema: newApiKeySchema }) body: NewApiKeyInput): Promise<GeneratedApiKey> {
    return this.keys.generate(body);
  }

  @Get('list')
  @ApiOperation({ summary: 'All keys, the revoked ones as well, with how much each was used' })
  @ApiOkResponse({ description: 'The newest first', standardSchema: apiKeyListSchema })
  list(): Promise<ApiKeyView[]> {
    return this.keys.list();
  }

  @Delete('revoke')
  @ApiOperation({ summary: 'Revoke a key that one holds in the hand; the query is not logged' })
  @ApiQuery({ name: 'key', schema: { type: 'string' } })
  @ApiOkResponse({ description: 'No replica takes it any more', standardSchema: revokedSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  revokeKey(@Query({ schema: keyQuerySchema }) query: z.infer<typeof keyQuerySchema>): Promise<Revoked> {
    return this.keys.revokeKey(query.key);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke a key' })
  @ApiOkResponse({ description: 'No replica takes it any more', standardSchema: revokedSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  revoke(@Param('id', { schema: keyIdSchema }) id: string): Promise<Revoked> {
    return this.keys.revoke(id);
  }
}
