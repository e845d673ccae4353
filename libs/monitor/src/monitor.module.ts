import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ProxyModule } from '#proxy';
import { DiskSpace } from './health/disk-space.js';
import { EventLoopLag } from './health/event-loop-lag.js';
import { HealthController } from './health/health.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { GatewayFigures } from './metrics/gateway-figures.js';
import { HealthService } from './health/health.service.js';

/** What tells how the gateway is. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false }), ProxyModule],
  controllers: [HealthController, MetricsController],
  providers: [HealthService, DiskSpace, EventLoopLag, GatewayFigures],
})
export class MonitorModule {}
