import { Controller, Get } from '@nestjs/common';
import { RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { PoolViews } from './pool-views.js';
import { backendStates, type BackendStates } from './schemas.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@Controller('admin/health')
export class BackendHealthController {
  constructor(private readonly views: PoolViews) {}

  @Get()
  @ApiOperation({
    summary:
      'What the probes know of every backend, by its URL: of services, mappings, pools and the default one',
  })
  @ApiOkResponse({ description: 'As this gateway sees it', standardSchema: backendStates })
  health(): BackendStates {
    return this.views.health();
  }
}
