import { freemem, totalmem } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import type { SliceStatus } from '#database';
import { OrphanService, type Orphan } from '../orphans/orphan-service.js';
import { SliceRuntime } from '../runtimes/slice-runtime.js';
import { orUnavailable } from '../slices/runtime-unavailable.js';
import { SliceRepository } from '../slices/slice-repository.js';

/** Everything at a glance; memory in bytes. */
export interface OrchestratorStatus {
  slices: { total: number; unclaimed: number } & Partial<Record<SliceStatus, number>>;
  containers: { total: number; running: number };
  memory: { slicesUsed: number; slicesLimit: number; hostFree: number; hostTotal: number };
  orphans: Orphan[];
}

@Injectable()
export class StatusService {
  constructor(
    private readonly slices: SliceRepository,
    private readonly orphans: OrphanService,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
  ) {}

  /** @throws OrchestratorError RUNTIME_UNAVAILABLE */
  async status(): Promise<OrchestratorStatus> {
    const [slices, instances, orphans] = await Promise.all([
      this.slices.all(),
      orUnavailable(this.runtime.list()),
      this.orphans.find(),
    ]);
    const running = instances.filter(({ state }) => state === 'running');
    const usages = await Promise.all(
      running.map(({ sliceId }) => orUnavailable(this.runtime.usage(sliceId))),
    );
    const byStatus: Partial<Record<SliceStatus, number>> = {};
    for (const { status } of slices) byStatus[status] = (byStatus[status] ?? 0) + 1;
    return {
      slices: {
        total: slices.length,
        unclaimed: slices.filter(({ ownerId }) => ownerId === null).length,
        ...byStatus,
      },
      containers: { total: instances.length, running: running.length },
      memory: {
        slicesUsed: usages.reduce((sum, usage) => sum + (usage?.memoryBytes ?? 0), 0),
        slicesLimit: slices.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        hostFree: freemem(),
        hostTotal: totalmem(),
      },
      orphans,
    };
  }
}
