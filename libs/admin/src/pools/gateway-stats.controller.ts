import { Controller, Get } from '@nestjs/common';
import { ApiErrors, RequireAdmin, ThrottledPerAddress } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { PoolViews } from './pool-views.js';
import { gatewayStats, type GatewayStats } from './schemas.js';

/** Beside the paths of workers, and limited as they are. */
@ApiTags('workers')
@RequireAdmin('keyOrSession')
@ThrottledPerAddress('apiKeys')
@ApiErrors('RATE_LIMITED')
@Controller('api/gateway/stats')
export class GatewayStatsController {
  constructor(private readonly views: PoolViews) {}

  @Get()
  @ApiOperation({ summary: 'How many backends take requests now, by pool' })
  @ApiOkResponse({ description: 'Healthy backends, as this gateway sees them', standardSchema: gatewayStats })
  stats(): GatewayStats {
    return this.views.stats();
  }
}
