import { Controller, Get, Param } from '@nestjs/common';
import { ApiErrors, RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { ADDRESS_ERRORS, sliceId } from '#orchestrator';
import { DashboardService } from './dashboard.service.js';
import { type Dashboard, dashboardResponse, type SliceDetail, sliceDetailResponse } from './schemas.js';
import { SliceDetailService } from './slice-detail.service.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE')
@Controller('admin')
export class DashboardController {
  constructor(
    private readonly dashboard: DashboardService,
    private readonly details: SliceDetailService,
  ) {}

  @Get('dashboard')
  @ApiOperation({ summary: 'Server, slices, users, app metrics and subscriptions in one answer' })
  @ApiOkResponse({ description: 'Everything at a glance', standardSchema: dashboardResponse })
  show(): Promise<Dashboard> {
    return this.dashboard.show();
  }

  @Get('slice/:id')
  @ApiOperation({ summary: 'One slice: 24 hours of telemetry, app metrics, its container, its last steps' })
  @ApiOkResponse({ description: 'The slice', standardSchema: sliceDetailResponse })
  @ApiErrors(...ADDRESS_ERRORS)
  slice(@Param('id', { schema: sliceId }) id: number): Promise<SliceDetail> {
    return this.details.show(id);
  }
}
