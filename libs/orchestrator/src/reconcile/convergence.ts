import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Clock, DomainError, OrchestratorError } from '#common';
import { AppConfig } from '#config';
import type { Slice } from '#database';
import { SliceRepository } from '../slices/slice-repository.js';
import { ReconcileFault } from './faults.js';
import { Reconciler, STOP_GRACE_MS } from './reconciler.js';

const POLL_MS = 100;

/** Time a pass may need besides the app's own start: a stop, a database, a queue of other slices. */
const SLACK_MS = 60_000 + STOP_GRACE_MS;

/** Waits for a slice to become what its row desires, whoever brings it about. */
@Injectable()
export class Convergence {
  private readonly logger = new Logger(Convergence.name);
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly reconciler: Reconciler,
    private readonly slices: SliceRepository,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * Returns the slice once its latest generation is settled: `active`, `stopped`, `failed` or `destroyed`.
   * @throws OrchestratorError what stood in the way, or SLICE_PROVISIONING_TIMEOUT while it still goes on
   * @throws CoreError DATABASE_UNAVAILABLE, SHUTTING_DOWN
   */
  async settled(id: number): Promise<Slice> {
    const deadline = this.clock.nowMs() + this.config.slices.startTimeoutMs + SLACK_MS;
    for (;;) {
      const slice = await this.slices.findAny(id);
      if (slice === null) throw new OrchestratorError('SLICE_NOT_FOUND', `There is no slice ${id}.`);
      if (isSettled(slice)) return slice;
      if (this.clock.nowMs() >= deadline) {
        throw new OrchestratorError(
          'SLICE_PROVISIONING_TIMEOUT',
          `Slice ${id} is not ready yet, and goes on in the background; ask GET /orchestrator/slices/${id}.`,
        );
      }
      await this.attempt(id);
    }
  }

  /** The same in the background: what fails is logged, and left to the loop. */
  begin(id: number): void {
    const task = this.settled(id)
      .catch((error: unknown) => {
        // In an orderly stop there is nothing to tell: the next start goes on where this one ended.
        if (error instanceof DomainError && error.code === 'SHUTTING_DOWN') return;
        this.logger.warn({ sliceId: id, err: error }, `slice ${id} is not settled yet`);
      })
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  /** Waits for what {@link begin} started; for an orderly stop. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  private async attempt(id: number): Promise<void> {
    try {
      if (!(await this.reconciler.reconcile(id))) await wait(POLL_MS);
    } catch (error) {
      throw error instanceof ReconcileFault ? error.toError() : error;
    }
  }
}

/** The latest wish has come about or failed, and nothing is under way: not a new start after a crash, either. */
export function isSettled({ generation, observedGeneration, status }: Slice): boolean {
  return observedGeneration >= generation && status !== 'provisioning' && status !== 'destroying';
}
