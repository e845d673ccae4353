import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Notifier } from '#common';
import { ProxyModule } from '#proxy';
import { DiskSpace } from './health/disk-space.js';
import { EventLoopLag } from './health/event-loop-lag.js';
import { HealthController } from './health/health.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { GatewayFigures } from './metrics/gateway-figures.js';
import { HealthService } from './health/health.service.js';
import { Channels } from './notices/channels.js';
import { NoticeOutbox } from './notices/notice-outbox.js';
import { NoticeSender } from './notices/notice-sender.js';
import { Outages } from './outages/outages.js';
import { ToldBackends } from './outages/told-backends.js';
import { TelemetryController } from './telemetry/telemetry.controller.js';
import { TelemetryReader } from './telemetry/telemetry-reader.js';
import { TelemetryStore } from './telemetry/telemetry-store.js';
import { TelemetryViews } from './telemetry/telemetry-views.js';
import { Healer } from './watch/healer.js';
import { MonitorLoop } from './watch/monitor-loop.js';
import { MonitorOptions } from './watch/monitor-options.js';
import { MonitorPass } from './watch/monitor-pass.js';
import { ServerGauge } from './watch/server-gauge.js';
import { SliceGauge } from './watch/slice-gauge.js';
import { SliceProbe } from './watch/slice-probe.js';

/** What watches: the health of this gateway, and of everything it stands in front of. */
@Module({
  imports: [ProxyModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, MetricsController, TelemetryController],
  providers: [
    HealthService,
    DiskSpace,
    EventLoopLag,
    GatewayFigures,
    TelemetryReader,
    TelemetryStore,
    TelemetryViews,
    Channels,
    NoticeOutbox,
    { provide: Notifier, useExisting: NoticeOutbox },
    NoticeSender,
    Outages,
    ToldBackends,
    { provide: MonitorOptions, useValue: new MonitorOptions() },
    SliceProbe,
    SliceGauge,
    ServerGauge,
    Healer,
    MonitorPass,
    MonitorLoop,
  ],
  exports: [Notifier, TelemetryReader],
})
export class MonitorModule {}
