import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Agent, request } from 'undici';
import { AppConfig } from '#config';
import type { WatchedSlice } from '#orchestrator';
import { MonitorOptions } from './monitor-options.js';

/** What a check found. */
export interface Check {
  readonly healthy: boolean;
  /** Of a healthy answer. */
  readonly latencyMs: number | null;
  /** It gave no answer at all in time. */
  readonly hung: boolean;
}

export const UNWELL: Check = { healthy: false, latencyMs: null, hung: false };

/** Asks slices how they are, over HTTP. */
@Injectable()
export class SliceProbe implements OnModuleDestroy {
  private readonly agent = new Agent({ allowH2: false });

  constructor(
    private readonly config: AppConfig,
    private readonly options: MonitorOptions,
  ) {}

  /** Asks its health path once: 2xx is well. @param signal ends it; then it was not well */
  async check({ host, port }: WatchedSlice, signal: AbortSignal): Promise<Check> {
    if (host === null || port === null) return UNWELL;
    const patience = AbortSignal.timeout(this.options.checkTimeoutMs);
    const name = host.includes(':') ? `[${host}]` : host;
    const begin = performance.now();
    try {
      // No connection is kept for a minute until the next check.
      const { statusCode, body } = await request(`http://${name}:${port}${this.config.slices.healthPath}`, {
        dispatcher: this.agent,
        signal: AbortSignal.any([signal, patience]),
        reset: true,
      });
      const latencyMs = Math.round(performance.now() - begin);
      await body.dump({ limit: 16_384 }).catch(() => undefined);
      return statusCode >= 200 && statusCode < 300 ? { healthy: true, latencyMs, hung: false } : UNWELL;
    } catch {
      return { ...UNWELL, hung: patience.aborted };
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.agent.destroy();
  }
}
