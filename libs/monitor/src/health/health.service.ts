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
import { Probe } from './probe.js';

/** Readiness is the database alone: without it nobody can be let in. What else is wrong leaves the gateway useful. */
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  checks: Record<string, HealthIndicatorStatus>;
}

const PROBE_TIMEOUT_MS = 2000;
const FRESH_MS = 1000;
const manifest: { name: string; version: string } = createRequire(import.meta.url)('#package');

@Injectable()
export class HealthService {
  private readonly database: Probe;
  private readonly engine: Probe;
  private readonly redis: Probe | null;
  private known: { readonly health: Health; readonly atMs: number } | null = null;
  private asking: Promise<Health> | null = null;

  constructor(
    private readonly indicators: HealthIndicatorService,
    dataSource: DataSource,
    @Inject(SliceRuntime) runtime: SliceRuntime,
    private readonly clock: Clock,
    @Inject(RedisConnection) redis: RedisConnection | null,
  ) {
    this.database = new Probe(() => dataSource.query('SELECT 1'));
    this.engine = new Probe(() => runtime.check());
    this.redis = redis && new Probe(() => redis.run((client) => client.ping()));
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
    const [database, runtime, redis] = await Promise.all([
      this.database.answers(PROBE_TIMEOUT_MS),
      this.engine.answers(PROBE_TIMEOUT_MS),
      this.redis?.answers(PROBE_TIMEOUT_MS),
    ]);
    const checks = {
      ...this.indicator('database', database),
      ...this.indicator('runtime', runtime),
      ...this.indicator('redis', redis),
    };
    const isWhole = Object.values(checks).every((check) => check === 'up');
    const health: Health = { status: isWhole ? 'ok' : database ? 'degraded' : 'down', checks };
    this.known = { health, atMs: this.clock.nowMs() };
    return health;
  }

  /** Nothing for a part that this gateway does without. */
  private indicator(name: string, up: boolean | undefined): Record<string, HealthIndicatorStatus> {
    if (up === undefined) return {};
    const indicator = this.indicators.check(name);
    const result: HealthIndicatorResult = up ? indicator.up() : indicator.down();
    return Object.fromEntries(Object.entries(result).map(([key, { status }]) => [key, status]));
  }
}
