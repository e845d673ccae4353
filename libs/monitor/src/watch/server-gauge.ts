import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { Injectable } from '@nestjs/common';
import type { DatabaseFigures } from '#orchestrator';
import { DiskSpace } from '../health/disk-space.js';
import type { ServerReading } from '../telemetry/readings.js';

interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

/** Reads how the machine is. */
@Injectable()
export class ServerGauge {
  private before: CpuTimes | null = null;

  constructor(private readonly disk: DiskSpace) {}

  /** @param database null where it did not tell */
  async read(at: Date, database: DatabaseFigures | null): Promise<ServerReading> {
    const space = await this.disk.look().catch(() => null);
    const total = totalmem();
    return {
      at,
      cpuPercent: this.cpuPercent(),
      load: loadavg()[0] ?? 0,
      memoryUsedBytes: total - freemem(),
      memoryTotalBytes: total,
      diskUsedBytes: space === null ? null : space.total - space.free,
      diskTotalBytes: space?.total ?? null,
      connections: database?.connections ?? null,
      maxConnections: database?.maxConnections ?? null,
    };
  }

  /** Since the reading before; null for the first one. */
  private cpuPercent(): number | null {
    const now = cpuTimes();
    const { before } = this;
    this.before = now;
    if (before === null || now.all <= before.all) return null;
    return ((now.busy - before.busy) / (now.all - before.all)) * 100;
  }
}

function cpuTimes(): CpuTimes {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
}
