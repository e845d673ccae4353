import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { DiskSpace } from './health/disk-space.js';
import { EventLoopLag } from './health/event-loop-lag.js';
import { HealthController } from './health/health.controller.js';
import { HealthService } from './health/health.service.js';
import { TelemetryReader } from './telemetry/telemetry-reader.js';

/** What tells how the gateway is. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [HealthService, DiskSpace, EventLoopLag, TelemetryReader],
  exports: [TelemetryReader],
})
export class MonitorModule {}
