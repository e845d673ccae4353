import { createRequire } from 'node:module';
import { Inject, Injectable } from '@nestjs/common';
import {
  HealthIndicatorService,
  type HealthIndicatorResult,
  type HealthIndicatorStatus,
} from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { RedisConnection } from '#auth';
import { Clock } from '#common';
import { SliceRuntime } from '#orchestrator';
import { DiskSpace, type Space } from './disk-space.js';
import { EventLoopLag } from './event-loop-lag.js';
import { Probe } from './probe.js';

/** Readiness is the database alone: without it nobody can be let in. What else is wrong leaves the gateway useful. */
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  checks: Record<string, HealthIndicatorStatus>;
  /** The figures behind `disk` and `loop`. */
  details: {
    /** Of the file system under `DATA_DIR`, whole percents; null when it does not tell. */
    readonly diskUsedPercent: number | null;
    /** 99th percentile since the look before, ms. */
    readonly loopLagP99Ms: number;
  };
}

/** Above it a file system soon refuses to write. */
const DISK_FULL_PERCENT = 90;
/** More than anybody takes for an immediate answer. */
const LOOP_LAG_MS = 250;

const PROBE_TIMEOUT_MS = 2000;
const FRESH_MS = 1000;
const manifest: { name: string; version: string } = createRequire(import.meta.url)('#package');

@Injectable()
export class HealthService {
  private readonly database: Probe;
  private readonly engine: Probe;
  private readonly redis: Probe | null;
  private readonly disk: Probe;
  private space: Space | null = null;
  private known: { readonly health: Health; readonly atMs: number } | null = null;
  private asking: Promise<Health> | null = null;

  constructor(
    private readonly indicators: HealthIndicatorService,
    dataSource: DataSource,
    @Inject(SliceRuntime) runtime: SliceRuntime,
    private readonly clock: Clock,
    @Inject(RedisConnection) redis: RedisConnection | null,
    disk: DiskSpace,
    private readonly lag: EventLoopLag,
  ) {
    this.database = new Probe(() => dataSource.query('SELECT 1'));
    this.engine = new Probe(() => runtime.check());
    this.redis = redis && new Probe(() => redis.run((client) => client.ping()));
    this.disk = new Probe(async () => (this.space = await disk.look()));
  }

  /** How it is, or was less than a second ago. */
  check(): Promise<Health> {
    const { known } = this;
    if (known !== null && Math.abs(this.clock.nowMs() - known.atMs) < FRESH_MS) {
      return Promise.resolve(known.health);
    }
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  heartbeat(): { status: 'alive'; timestamp: string } {
    return { status: 'alive', timestamp: this.clock.now().toISOString() };
  }

  info(): { name: string; version: string; uptimeSeconds: number } {
    return { name: manifest.name, version: manifest.version, uptimeSeconds: Math.floor(process.uptime()) };
  }

  /** Anybody may ask, as often as they like; the database and the engine are asked once a second. */
  private async ask(): Promise<Health> {
    const [database, runtime, redis, disk] = await Promise.all([
      this.database.answers(PROBE_TIMEOUT_MS),
      this.engine.answers(PROBE_TIMEOUT_MS),
      this.redis?.answers(PROBE_TIMEOUT_MS),
      this.disk.answers(PROBE_TIMEOUT_MS),
    ]);
    const details = {
      diskUsedPercent: disk && this.space !== null ? usedPercent(this.space) : null,
      loopLagP99Ms: this.lag.takeP99Ms(),
    };
    const checks = {
      ...this.indicator('database', database),
      ...this.indicator('runtime', runtime),
      ...this.indicator('redis', redis),
      ...this.indicator(
        'disk',
        details.diskUsedPercent !== null,
        (details.diskUsedPercent ?? 0) > DISK_FULL_PERCENT,
      ),
      ...this.indicator('loop', true, details.loopLagP99Ms > LOOP_LAG_MS),
    };
    const isWhole = Object.values(checks).every((check) => check === 'up');
    const health: Health = { status: isWhole ? 'ok' : database ? 'degraded' : 'down', checks, details };
    this.known = { health, atMs: this.clock.nowMs() };
    return health;
  }

  /** Nothing for a part that this gateway does without. */
  private indicator(
    name: string,
    up: boolean | undefined,
    strained = false,
  ): Record<string, HealthIndicatorStatus> {
    if (up === undefined) return {};
    const indicator = this.indicators.check(name);
    const working = (): HealthIndicatorResult => (strained ? indicator.degraded() : indicator.up());
    const result = up ? working() : indicator.down();
    return Object.fromEntries(Object.entries(result).map(([key, { status }]) => [key, status]));
  }
}

/** Without what only root may write; a file system that names no size is not full. */
function usedPercent({ total, free }: Space): number {
  return total === 0 ? 0 : Math.round((1 - free / total) * 100);
}
