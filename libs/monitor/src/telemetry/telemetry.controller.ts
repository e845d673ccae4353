import { Controller, Get, Query } from '@nestjs/common';
import { ApiErrors, RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import {
  serverQuery,
  type ServerQuery,
  serverTelemetry,
  type ServerTelemetry,
  slicesQuery,
  type SlicesQuery,
  slicesTelemetry,
  type SlicesTelemetry,
} from './schemas.js';
import { TelemetryViews } from './telemetry-views.js';

const HOURS =
  '`hours` is how far it goes back, from 1 to 168; a number outside of that is taken for the nearest one. Each series ' +
  'has 1,000 points at the most.';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE', 'VALIDATION_FAILED')
@Controller('admin/telemetry')
export class TelemetryController {
  constructor(private readonly views: TelemetryViews) {}

  @Get('server')
  @ApiOperation({ summary: 'The server over time: CPU, memory, disk, connections', description: HOURS })
  @ApiOkResponse({ description: 'One series', standardSchema: serverTelemetry })
  server(@Query({ schema: serverQuery }) query: ServerQuery): Promise<ServerTelemetry> {
    return this.views.ofServer(query);
  }

  @Get('slices')
  @ApiOperation({ summary: 'The slices over time, 50 a page, the oldest first', description: HOURS })
  @ApiOkResponse({ description: 'A series for each slice of the page', standardSchema: slicesTelemetry })
  ofSlices(@Query({ schema: slicesQuery }) query: SlicesQuery): Promise<SlicesTelemetry> {
    return this.views.ofSlices(query);
  }
}
