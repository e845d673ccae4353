import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { ApiErrors, BODY_ERRORS, RequireAdmin } from '#auth';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '#common';
import { OrphanService } from '../orphans/orphan-service.js';
import { provisionSchema, type ProvisionRequest } from '../slices/slice-request.js';
import { SliceService } from '../slices/slice-service.js';
import { sliceView, type SliceView } from '../slices/slice-view.js';
import { DESTRUCTION_ERRORS, PROVISION_ERRORS } from './errors.js';
import {
  forceQuery,
  IDEMPOTENCY_KEY_HEADER,
  idempotencyKey,
  sliceId,
  sweepBody,
  waitQuery,
} from './parameters.js';
import { destroyedResponse, sliceResponse, statusResponse, sweepResponse } from './responses.js';
import { StatusService, type OrchestratorStatus } from './status-service.js';

@ApiTags('orchestrator')
@RequireAdmin('key')
@ApiErrors('DATABASE_UNAVAILABLE')
@Controller('orchestrator')
export class OrchestratorController {
  constructor(
    private readonly slices: SliceService,
    private readonly orphans: OrphanService,
    private readonly statuses: StatusService,
  ) {}

  @Post('provision')
  @ApiOperation({ summary: 'A new slice; repeated, the same one' })
  @ApiHeader(IDEMPOTENCY_KEY_HEADER)
  @ApiErrors(...PROVISION_ERRORS)
  @ApiResponse({ status: 201, description: 'The slice is healthy.', standardSchema: sliceResponse })
  @ApiResponse({
    status: 202,
    description: 'With `?wait=false`: it is being provisioned.',
    standardSchema: sliceResponse,
  })
  async provision(
    @Body({ schema: provisionSchema }) request: ProvisionRequest,
    @Headers('idempotency-key') key: string | undefined,
    @Query({ schema: waitQuery }) { wait }: z.infer<typeof waitQuery>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SliceView> {
    response.status(wait === 'true' ? 201 : 202);
    return sliceView(await this.slices.provision(request, idempotencyKey(key), wait === 'true'));
  }

  @Post('destroy/:sliceId')
  @HttpCode(200)
  @ApiOperation({ summary: 'End a slice with its database and its data' })
  @ApiErrors(...DESTRUCTION_ERRORS)
  @ApiResponse({
    status: 200,
    description: 'The slice is gone with its data.',
    standardSchema: destroyedResponse,
  })
  async destroy(
    @Param('sliceId', { schema: sliceId }) id: number,
    @Query({ schema: forceQuery }) { force }: z.infer<typeof forceQuery>,
  ): Promise<{ id: number; status: string }> {
    const slice = await this.slices.destroy(id, force === 'true');
    return { id: slice.id, status: slice.status };
  }

  @Get('status')
  @ApiOperation({ summary: 'Everything at a glance; memory in bytes' })
  @ApiErrors('RUNTIME_UNAVAILABLE')
  @ApiResponse({
    status: 200,
    description: 'Slices, containers, memory and orphans.',
    standardSchema: statusResponse,
  })
  status(): Promise<OrchestratorStatus> {
    return this.statuses.status();
  }

  @Post('orphans/sweep')
  @HttpCode(200)
  @ApiOperation({ summary: 'Remove what belongs to no slice; without a body it only says what' })
  @ApiErrors(...BODY_ERRORS, 'RUNTIME_UNAVAILABLE')
  @ApiResponse({ status: 200, description: 'What was removed, or would be.', standardSchema: sweepResponse })
  async sweep(
    @Body({ schema: sweepBody }) { dryRun }: z.infer<typeof sweepBody>,
  ): Promise<z.infer<typeof sweepResponse>> {
    return { dryRun, orphans: await this.orphans.sweep(dryRun) };
  }
}
