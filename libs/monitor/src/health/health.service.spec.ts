import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { DataSource } from 'typeorm';
import { SystemClock } from '#common';
import type { AppConfig } from '#config';
import type { SliceRuntime } from '#orchestrator';
import { eventually } from '../../../../test/support/eventually.js';
import { DiskSpace, type Space } from './disk-space.js';
import { EventLoopLag } from './event-loop-lag.js';
import { HealthService } from './health.service.js';

const well = (): Promise<void> => Promise.resolve();
const away = (): Promise<never> => Promise.reject(new Error('away'));

interface World {
  readonly query?: () => Promise<unknown>;
  readonly look?: () => Promise<Space>;
  readonly lagMs?: number;
}

function healthOf({ query = well, look = async () => ({ total: 100, free: 50 }), lagMs = 3 }: World) {
  return new HealthService(
    new HealthIndicatorService(),
    { query } as unknown as DataSource,
    { check: well } as unknown as SliceRuntime,
    new SystemClock(),
    null,
    { look } as unknown as DiskSpace,
    { takeP99Ms: () => lagMs } as unknown as EventLoopLag,
  ).check();
}

describe('the health', () => {
  it('is ok with room on the disk and a prompt event loop', async () => {
    expect(await healthOf({})).toEqual({
      status: 'ok',
      checks: { database: 'up', runtime: 'up', disk: 'up', loop: 'up' },
      details: { diskUsedPercent: 50, loopLagP99Ms: 3 },
    });
  });

  it.each([
    [90, 10, 'ok', 'up'],
    [91, 9, 'degraded', 'degraded'],
    [100, 0, 'degraded', 'degraded'],
  ])('with %i %% of the disk used', async (diskUsedPercent, free, status, disk) => {
    const health = await healthOf({ look: async () => ({ total: 100, free }) });
    expect(health).toMatchObject({ status, checks: { disk }, details: { diskUsedPercent } });
  });

  it('is degraded when the disk does not tell', async () => {
    const health = await healthOf({ look: away });
    expect(health).toMatchObject({
      status: 'degraded',
      checks: { disk: 'down' },
      details: { diskUsedPercent: null },
    });
  });

  it.each([
    [250, 'ok', 'up'],
    [251, 'degraded', 'degraded'],
  ])('with an event loop that lags by %i ms', async (lagMs, status, loop) => {
    expect(await healthOf({ lagMs })).toMatchObject({ status, checks: { loop } });
  });

  it('is down without the database, whatever else is wrong', async () => {
    expect(await healthOf({ query: away, lagMs: 999 })).toMatchObject({ status: 'down' });
  });
});

/** It measures from one tick of its own to the next, so one has to be over before. */
const aTick = (): Promise<void> => delay(50);

describe('the probes', () => {
  it('see the room on the file system', async () => {
    const { total, free } = await new DiskSpace({ dataDir: tmpdir() } as AppConfig).look();
    expect(total).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(total);
  });

  it('see an event loop that was held up, once', async () => {
    const lag = new EventLoopLag();
    await eventually(async () => {
      await aTick();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      await aTick();
      expect(lag.takeP99Ms()).toBeGreaterThan(250);
    });
    expect(lag.takeP99Ms()).toBe(0);
    lag.onModuleDestroy();
  });
});
