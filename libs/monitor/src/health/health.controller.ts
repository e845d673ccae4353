import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import { Public } from '#auth';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '#common';
import { HealthService, type Health } from './health.service.js';

const healthResponse = z.object({
  status: z.enum(['ok', 'degraded', 'down']),
  checks: z.record(z.string(), z.enum(['up', 'degraded', 'down'])),
  details: z.object({
    diskUsedPercent: z.int().nullable().describe('Of the file system under DATA_DIR'),
    loopLagP99Ms: z.int().describe('How late the event loop ran, since the look before'),
  }),
});

/** For load balancers, orchestrators and people. None of it says anything of a customer. */
@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('health')
  @Public()
  @ApiOperation({ summary: 'Readiness: 503 when the database is down' })
  @ApiOkResponse({
    description:
      'Ready; `degraded` when slices can not be started, Redis does not answer, the disk is nearly full or the event loop lags.',
    standardSchema: healthResponse,
  })
  @ApiResponse({ status: 503, description: 'The database does not answer.', standardSchema: healthResponse })
  async readiness(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.health.check();
    response.status(health.status === 'down' ? 503 : 200);
    return health;
  }

  @Get('healthz')
  @Public()
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiOkResponse({ description: 'It answers', standardSchema: z.object({ ok: z.literal(true) }) })
  liveness(): { ok: true } {
    return { ok: true };
  }

  @Get('heartbeat')
  @Public()
  @ApiOperation({ summary: 'Liveness with the time, for uptime monitors' })
  @ApiOkResponse({
    description: 'It answers',
    standardSchema: z.object({ status: z.literal('alive'), timestamp: z.iso.datetime() }),
  })
  heartbeat(): { status: 'alive'; timestamp: string } {
    return this.health.heartbeat();
  }

  @Get('info')
  @Public()
  @ApiOperation({ summary: 'Name and version of the service' })
  @ApiOkResponse({
    description: 'What runs here',
    standardSchema: z.object({ name: z.string(), version: z.string(), uptimeSeconds: z.int() }),
  })
  info(): { name: string; version: string; uptimeSeconds: number } {
    return this.health.info();
  }
}
