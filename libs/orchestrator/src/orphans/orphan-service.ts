import { Inject, Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '#common';
import { ControlConnection } from '#database';
import { SliceDatabase } from '../databases/slice-database.js';
import { sliceLock, STOP_GRACE_MS } from '../reconcile/reconciler.js';
import { SliceRuntime } from '../runtimes/slice-runtime.js';
import { orUnavailable } from '../slices/runtime-unavailable.js';
import { SliceRepository } from '../slices/slice-repository.js';

/** Something in the world that carries this installation's mark, and belongs to no live slice. */
export interface Orphan {
  kind: 'instance' | 'data' | 'network' | 'database' | 'role';
  sliceId: number;
}

/** Finds what no slice row accounts for, and removes it when somebody asks for that; nobody else ever does. */
@Injectable()
export class OrphanService {
  private readonly logger = new Logger(OrphanService.name);

  constructor(
    private readonly slices: SliceRepository,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    @Inject(SliceDatabase) private readonly databases: SliceDatabase,
    private readonly control: ControlConnection,
    private readonly audit: AuditLog,
  ) {}

  /** @throws OrchestratorError RUNTIME_UNAVAILABLE */
  async find(): Promise<Orphan[]> {
    // The rows are read before and after: a slice that is destroyed or made meanwhile is in one of them.
    const before = await this.slices.all();
    const [instances, data, networks, remnants] = await Promise.all([
      orUnavailable(this.runtime.list()),
      orUnavailable(this.runtime.listData()),
      orUnavailable(this.runtime.listNetworks()),
      this.databases.list(),
    ]);
    const known = new Set([...before, ...(await this.slices.all())].map(({ id }) => id));
    const found: Orphan[] = [
      ...instances.map(({ sliceId }) => ({ kind: 'instance' as const, sliceId })),
      ...data.map((sliceId) => ({ kind: 'data' as const, sliceId })),
      ...networks.map((sliceId) => ({ kind: 'network' as const, sliceId })),
      ...remnants.map(({ kind, sliceId }) => ({ kind, sliceId })),
    ];
    return found.filter(({ sliceId }) => !known.has(sliceId));
  }

  /**
   * Removes the orphans; with `dryRun` it only says which.
   * @returns those that were removed, or would be
   * @throws OrchestratorError RUNTIME_UNAVAILABLE
   */
  async sweep(dryRun: boolean): Promise<Orphan[]> {
    const orphans = await this.find();
    if (dryRun) return orphans;
    const gone: Orphan[] = [];
    for (const [id, remnants] of Map.groupBy(orphans, ({ sliceId }) => sliceId)) {
      if (await this.remove(id, remnants)) gone.push(...remnants);
    }
    return gone;
  }

  /** Under the slice's lock, and only if it still has no row: whoever reconciles it just now comes first. */
  private async remove(sliceId: number, remnants: readonly Orphan[]): Promise<boolean> {
    const lock = await this.control.tryLock(sliceLock(sliceId));
    if (lock === null) return false;
    try {
      if ((await this.slices.find(sliceId)) !== null) return false;
      // Written first: no transaction reaches the engine, and nothing may be gone that nobody is told of.
      await this.audit.record({
        action: 'orphans.sweep',
        target: { kind: 'slice', id: String(sliceId) },
        before: { orphans: remnants.map(({ kind }) => kind) },
      });
      await this.runtime.stop(sliceId, STOP_GRACE_MS);
      await this.runtime.removeData(sliceId);
      await this.databases.drop(sliceId);
      this.logger.warn({ sliceId }, `what was left of slice ${sliceId} was removed`);
      return true;
    } catch (error) {
      // One that can't be removed is no reason to leave the others; it stays in the report.
      this.logger.error({ sliceId, err: error }, `what is left of slice ${sliceId} could not be removed`);
      return false;
    } finally {
      await lock.release();
    }
  }
}
