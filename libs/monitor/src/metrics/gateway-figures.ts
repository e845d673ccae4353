import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { type GaugeReading, Metrics, OpenStreams } from '#common';
import { AppConfig } from '#config';
import { LiveSockets, Pools } from '#proxy';

/** A histogram counts this much of waiting where there is no lag at all. */
const RESOLUTION_MS = 20;
const NS_PER_S = 1e9;
const manifest: { version: string } = createRequire(import.meta.url)('#package');

/**
 * Of the slice whose latest wish has waited the longest to come about: since the first step towards it that was not yet
 * followed by an end, or since the wish where nobody has taken one. What has failed is counted as failed.
 */
const OLDEST_UNSETTLED = `
  SELECT coalesce(max(extract(epoch FROM now() - coalesce(
           (SELECT min(event.at) FROM slice_event event
             WHERE event.slice_id = slice.id AND event.generation = slice.generation AND event.id > coalesce(
                     (SELECT max(id) FROM slice_event ended WHERE ended.slice_id = slice.id AND ended.outcome = 'done'
                         AND ended.step IN ('active', 'stopped', 'destroyed')), 0)),
           slice.updated_at))), 0)::float8 AS seconds
    FROM slice
   WHERE destroyed_at IS NULL AND status <> 'failed'
     AND (observed_generation < generation OR status IN ('provisioning', 'destroying'))`;

/** What pg's pool tells of itself. */
interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The figures that are read when Prometheus asks, since nobody need count them as they change. */
@Injectable()
export class GatewayFigures implements OnModuleInit, OnModuleDestroy {
  private readonly lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(
    private readonly metrics: Metrics,
    private readonly dataSource: DataSource,
    private readonly sockets: LiveSockets,
    private readonly streams: OpenStreams,
    private readonly pools: Pools,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.lag.enable();
    this.ofTheGateway();
    this.ofTheProcess();
  }

  onModuleDestroy(): void {
    this.lag.disable();
  }

  private ofTheGateway(): void {
    const { metrics } = this;
    metrics.gauge('sluice_websockets_open', 'WebSockets through this gateway', [], () =>
      one(this.sockets.size),
    );
    metrics.gauge('sluice_streams_open', 'Logs and steps of slices that are followed here', [], () =>
      one(this.streams.size),
    );
    metrics.gauge(
      'sluice_slices',
      'Slices there are, by their status; the same on every gateway',
      ['status'],
      () => this.slices(),
    );
    metrics.gauge(
      'sluice_slice_unsettled_seconds',
      'How long the slice has waited that has waited longest to be as it is wanted; 0: all are',
      [],
      () => this.oldestUnsettled(),
    );
    metrics.gauge(
      'sluice_monitor_interval_seconds',
      'Time from one pass of the monitor to the next; 0: it is switched off',
      [],
      () => one((this.config.monitor.intervalMs ?? 0) / 1000),
    );
    metrics.gauge(
      'sluice_pool_backends',
      'Backends of each pool, by whether they take requests',
      ['pool', 'state'],
      () => this.backends(),
    );
    metrics.gauge('sluice_database_connections', 'Connections of the pool to PostgreSQL', ['state'], () =>
      this.connections(),
    );
  }

  private ofTheProcess(): void {
    const { metrics } = this;
    metrics.gauge(
      'sluice_event_loop_lag_seconds',
      'How late the event loop ran, since it was last asked',
      ['quantile'],
      () => this.loopLag(),
    );
    metrics.gauge('sluice_process_resident_memory_bytes', 'Memory of the process', [], () =>
      one(process.memoryUsage.rss()),
    );
    metrics.gauge('sluice_process_heap_used_bytes', 'Of it, what JavaScript uses', [], () =>
      one(process.memoryUsage().heapUsed),
    );
    metrics.gauge('sluice_process_cpu_seconds', 'CPU time of the process since its start', [], () =>
      one((process.cpuUsage().user + process.cpuUsage().system) / 1e6),
    );
    metrics.gauge('sluice_process_uptime_seconds', 'Since the start of the process', [], () =>
      one(process.uptime()),
    );
    metrics.gauge('sluice_info', 'What runs here; always 1', ['version'], () => [
      { labels: { version: manifest.version }, value: 1 },
    ]);
  }

  private async slices(): Promise<GaugeReading> {
    const rows = await this.dataSource.query<Array<{ status: string; count: number }>>(
      'SELECT status, count(*)::int AS count FROM slice WHERE destroyed_at IS NULL GROUP BY status',
    );
    const counts = new Map(rows.map(({ status, count }) => [status, count]));
    // Each of them always, so that an alert sees it go from 0.
    return ['provisioning', 'active', 'stopped', 'failed', 'destroying'].map((status) => ({
      labels: { status },
      value: counts.get(status) ?? 0,
    }));
  }

  private async oldestUnsettled(): Promise<GaugeReading> {
    const [{ seconds }] = await this.dataSource.query<[{ seconds: number }]>(OLDEST_UNSETTLED);
    return one(Math.max(0, seconds));
  }

  private backends(): GaugeReading {
    return this.pools.definitions.flatMap(({ name: pool, backends }) => {
      const healthy = this.pools.get(pool).healthyCount;
      return [
        { labels: { pool, state: 'healthy' }, value: healthy },
        { labels: { pool, state: 'unhealthy' }, value: backends.length - healthy },
      ];
    });
  }

  private connections(): GaugeReading {
    const { totalCount, idleCount, waitingCount } = poolOf(this.dataSource);
    return [
      { labels: { state: 'busy' }, value: totalCount - idleCount },
      { labels: { state: 'idle' }, value: idleCount },
      // A query that was asked for in this very turn has an idle connection, and waits for nothing but the next.
      { labels: { state: 'waited_for' }, value: Math.max(0, waitingCount - idleCount) },
    ];
  }

  private loopLag(): GaugeReading {
    const { lag } = this;
    if (lag.count === 0) return [];
    const readings = [50, 99, 100].map((percent) => ({
      labels: { quantile: String(percent / 100) },
      value: Math.max(0, lag.percentile(percent) / NS_PER_S - RESOLUTION_MS / 1000),
    }));
    lag.reset();
    return readings;
  }
}

const one = (value: number): GaugeReading => [{ value }];

/** TypeORM hands it on untyped. */
function poolOf({ driver }: DataSource): PoolCounts {
  if (!(driver instanceof PostgresDriver)) throw new Error('the database is no PostgreSQL');
  return driver.master;
}
