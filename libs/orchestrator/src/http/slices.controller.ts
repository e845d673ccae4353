import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { ApiErrors, BODY_ERRORS, RequireAdmin } from '#auth';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '#common';
import {
  changeSchema,
  provisionSchema,
  type ProvisionRequest,
  type SliceChange,
} from '../slices/slice-request.js';
import { SliceService } from '../slices/slice-service.js';
import { sliceView, type SliceView } from '../slices/slice-view.js';
import { ADDRESS_ERRORS, DESTRUCTION_ERRORS, PROVISION_ERRORS, START_ERRORS } from './errors.js';
import { forceQuery, IDEMPOTENCY_KEY_HEADER, idempotencyKey, sliceId, waitQuery } from './parameters.js';
import { sliceResponse, slicesResponse } from './responses.js';

/** The same as a REST resource, for Terraform and its like. */
@ApiTags('orchestrator')
@RequireAdmin('key')
@ApiErrors('DATABASE_UNAVAILABLE')
@Controller('orchestrator/slices')
export class SlicesController {
  constructor(private readonly slices: SliceService) {}

  @Get()
  @ApiOperation({ summary: 'Every live slice, oldest first' })
  @ApiResponse({ status: 200, description: 'Every live slice.', standardSchema: slicesResponse })
  async list(): Promise<SliceView[]> {
    return (await this.slices.list()).map(sliceView);
  }

  @Post()
  @ApiOperation({ summary: 'A new slice; repeated, the same one' })
  @ApiHeader(IDEMPOTENCY_KEY_HEADER)
  @ApiErrors(...PROVISION_ERRORS)
  @ApiResponse({ status: 201, description: 'The slice is healthy.', standardSchema: sliceResponse })
  @ApiResponse({
    status: 202,
    description: 'With `?wait=false`: it is being provisioned.',
    standardSchema: sliceResponse,
  })
  async create(
    @Body({ schema: provisionSchema }) request: ProvisionRequest,
    @Headers('idempotency-key') key: string | undefined,
    @Query({ schema: waitQuery }) { wait }: z.infer<typeof waitQuery>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SliceView> {
    response.status(wait === 'true' ? 201 : 202);
    return sliceView(await this.slices.provision(request, idempotencyKey(key), wait === 'true'));
  }

  @Get(':id')
  @ApiOperation({ summary: 'One slice' })
  @ApiErrors(...ADDRESS_ERRORS)
  @ApiResponse({ status: 200, description: 'The slice.', standardSchema: sliceResponse })
  async get(@Param('id', { schema: sliceId }) id: number): Promise<SliceView> {
    return sliceView(await this.slices.get(id));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a slice, and wait until it runs as changed' })
  @ApiErrors(...BODY_ERRORS, ...START_ERRORS, 'SLICE_NAME_TAKEN', 'SLICE_IN_USE', 'SLICE_NOT_MANAGED')
  @ApiResponse({ status: 200, description: 'The slice, running as changed.', standardSchema: sliceResponse })
  async change(
    @Param('id', { schema: sliceId }) id: number,
    @Body({ schema: changeSchema }) change: SliceChange,
  ): Promise<SliceView> {
    return sliceView(await this.slices.change(id, change));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a slice with its database and its data; repeated: 204' })
  @ApiErrors(...DESTRUCTION_ERRORS)
  @ApiResponse({ status: 204, description: 'The slice is gone with its data.' })
  async destroy(
    @Param('id', { schema: sliceId }) id: number,
    @Query({ schema: forceQuery }) { force }: z.infer<typeof forceQuery>,
  ): Promise<void> {
    await this.slices.destroy(id, force === 'true');
  }

  @Post(':id/start')
  @HttpCode(200)
  @ApiOperation({ summary: 'Start a slice' })
  @ApiErrors(...START_ERRORS)
  @ApiResponse({ status: 200, description: 'The slice runs.', standardSchema: sliceResponse })
  async start(@Param('id', { schema: sliceId }) id: number): Promise<SliceView> {
    return sliceView(await this.slices.start(id));
  }

  @Post(':id/stop')
  @HttpCode(200)
  @ApiOperation({ summary: 'Stop a slice; its data stays' })
  @ApiErrors(...START_ERRORS)
  @ApiResponse({
    status: 200,
    description: 'The slice is stopped; its data stays.',
    standardSchema: sliceResponse,
  })
  async stop(@Param('id', { schema: sliceId }) id: number): Promise<SliceView> {
    return sliceView(await this.slices.stop(id));
  }

  @Post(':id/restart')
  @HttpCode(200)
  @ApiOperation({ summary: 'Stop and start a slice, also one that runs well' })
  @ApiErrors(...START_ERRORS)
  @ApiResponse({ status: 200, description: 'The slice runs anew.', standardSchema: sliceResponse })
  async restart(@Param('id', { schema: sliceId }) id: number): Promise<SliceView> {
    return sliceView(await this.slices.restart(id));
  }
}
