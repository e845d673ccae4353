import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ApiErrors, BODY_ERRORS, RequireAdmin } from '#auth';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import {
  ADDRESS_ERRORS,
  forceQuery,
  sliceId,
  sliceResponse,
  type SliceView,
  START_ERRORS,
} from '#orchestrator';
import {
  type RegistrationBody,
  registrationSchema,
  type SlicesPage,
  slicesQuery,
  type SlicesQuery,
  slicesResponse,
  type StatusBody,
  statusSchema,
} from './schemas.js';
import { SliceListing } from './slice-listing.js';
import { SliceRegistry } from './slice-registry.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE', 'VALIDATION_FAILED')
@Controller('admin/slices')
export class SlicesController {
  constructor(
    private readonly listing: SliceListing,
    private readonly registry: SliceRegistry,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'All live slices with their owners, the oldest first',
    description: '`search` is a part of a name or of an owner’s e-mail address, or the number of a slice.',
  })
  @ApiOkResponse({ description: 'One page of slices', standardSchema: slicesResponse })
  page(@Query({ schema: slicesQuery }) query: SlicesQuery): Promise<SlicesPage> {
    return this.listing.page(query);
  }

  @Post()
  @ApiOperation({
    summary: 'Register an instance that runs already',
    description:
      'It goes to the next customer who signs up. Sluice neither starts nor ends it, and gives it no database.',
  })
  @ApiCreatedResponse({ description: 'The slice', standardSchema: sliceResponse })
  @ApiErrors(...BODY_ERRORS, 'SLICE_NAME_TAKEN', 'SLICE_ADDRESS_TAKEN')
  register(@Body({ schema: registrationSchema }) body: RegistrationBody): Promise<SliceView> {
    return this.registry.register(body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Let go of a registered instance, which runs on; repeated: 204',
    description: 'One that a customer has needs `?force=true`.',
  })
  @ApiNoContentResponse({ description: 'It is no slice any more' })
  @ApiErrors(...ADDRESS_ERRORS, 'SLICE_MANAGED', 'SLICE_IN_USE')
  unregister(
    @Param('id', { schema: sliceId }) id: number,
    @Query({ schema: forceQuery }) { force }: z.infer<typeof forceQuery>,
  ): Promise<void> {
    return this.registry.unregister(id, force === 'true');
  }

  @Post(':id/status')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Say how a slice is',
    description:
      'Of a slice that Sluice runs: start it by `active`, stop it by `stopped`, and wait for that.',
  })
  @ApiOkResponse({ description: 'The slice as it is now', standardSchema: sliceResponse })
  @ApiErrors(...BODY_ERRORS, ...START_ERRORS, 'SLICE_MANAGED')
  setStatus(
    @Param('id', { schema: sliceId }) id: number,
    @Body({ schema: statusSchema }) body: StatusBody,
  ): Promise<SliceView> {
    return this.registry.setStatus(id, body);
  }
}
