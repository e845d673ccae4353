import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import {
  HealthIndicatorService,
  type HealthIndicatorResult,
  type HealthIndicatorStatus,
} from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { SliceRuntime } from '#orchestrator';

/** Readiness is the database alone: without it nobody can be let in. What else is wrong leaves the gateway useful. */
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  checks: Record<string, HealthIndicatorStatus>;
}

const PROBE_TIMEOUT_MS = 2000;
const manifest: { name: string; version: string } = createRequire(import.meta.url)('#package');

@Injectable()
export class HealthService {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly dataSource: DataSource,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    private readonly clock: Clock,
  ) {}

  async check(): Promise<Health> {
    const results = await Promise.all([
      this.probe('database', () => this.dataSource.query('SELECT 1')),
      this.probe('runtime', () => this.runtime.check()),
    ]);
    const checks = Object.fromEntries(
      results.flatMap((result) => Object.entries(result).map(([name, { status }]) => [name, status])),
    );
    const allUp = Object.values(checks).every((status) => status === 'up');
    return { status: checks['database'] === 'down' ? 'down' : allUp ? 'ok' : 'degraded', checks };
  }

  heartbeat(): { status: 'alive'; timestamp: string } {
    return { status: 'alive', timestamp: this.clock.now().toISOString() };
  }

  info(): { name: string; version: string; uptimeSeconds: number } {
    return { name: manifest.name, version: manifest.version, uptimeSeconds: Math.floor(process.uptime()) };
  }

  private async probe(name: string, ask: () => Promise<unknown>): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    const deadline = new AbortController();
    try {
      const late = wait(PROBE_TIMEOUT_MS, undefined, { signal: deadline.signal }).then(() => {
        throw new Error(`${name} does not answer`);
      });
      await Promise.race([ask(), late]);
      return indicator.up();
    } catch {
      return indicator.down();
    } finally {
      deadline.abort();
    }
  }
}
