import { setTimeout as wait } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '#common';
import { ControlConnection, Election, type Slice } from '#database';
import { WarmPool } from '../slices/warm-pool.js';
import { SliceRuntime, type SliceInstance } from '../runtimes/slice-runtime.js';
import { SliceRepository } from '../slices/slice-repository.js';
import { Backoff } from './backoff.js';
import { Convergence } from './convergence.js';
import { Reconciler, STOP_GRACE_MS } from './reconciler.js';

const INTERVAL_MS = 5000;

/** Changes come in bursts; one look serves them all. */
const SETTLE_MS = 100;

/**
 * Looks for slices that are not what they should be, and has them reconciled: after a crash of the gateway, of the
 * app, or of the machine. One replica does it at a time.
 */
@Injectable()
export class ReconcileLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcileLoop.name);
  private readonly backoff: Backoff;
  private readonly election: Election;
  private wake = new AbortController();

  constructor(
    private readonly control: ControlConnection,
    private readonly slices: SliceRepository,
    private readonly reconciler: Reconciler,
    private readonly convergence: Convergence,
    private readonly pool: WarmPool,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    clock: Clock,
  ) {
    this.backoff = new Backoff(clock);
    this.election = new Election(control, 'reconcile-loop');
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.control.listen('slice_changed', () => this.wake.abort());
    void this.election.run((signal) => this.lead(signal));
  }

  /**
   * The slices end after the last pass, so that nobody starts one again; and before the database, which they write
   * to until their end.
   */
  async beforeApplicationShutdown(): Promise<void> {
    const led = this.election.isElected;
    await this.election.stop();
    await this.convergence.idle();
    if (led) await this.runtime.shutdown(STOP_GRACE_MS);
  }

  private async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.wake = new AbortController();
      await this.pass(signal).catch((error: unknown) =>
        this.logger.error({ err: error }, 'a pass over the slices failed; the next one follows'),
      );
      await pause(INTERVAL_MS, AbortSignal.any([signal, this.wake.signal]));
      await pause(SETTLE_MS, signal);
    }
  }

  private async pass(signal: AbortSignal): Promise<void> {
    const [slices, instances] = await Promise.all([this.slices.all(), this.runtime.list()]);
    const byId = new Map(instances.map((instance) => [instance.sliceId, instance]));
    const drifted = slices.filter(
      (slice) => hasDrifted(slice, byId.get(slice.id)) && this.backoff.allows(slice.id),
    );
    await Promise.all(drifted.map((slice) => this.repair(slice.id)));
    if (!signal.aborted) await this.pool.topUp();
  }

  private async repair(id: number): Promise<void> {
    try {
      await this.reconciler.reconcile(id);
      const slice = await this.slices.find(id);
      if (slice?.status === 'failed') this.backoff.failed(id);
      else this.backoff.succeeded(id);
    } catch {
      // The reconciler has logged it.
      this.backoff.failed(id);
    }
  }
}

/** The row and the world differ, or the latest wish is not yet fulfilled. */
function hasDrifted(slice: Slice, instance: SliceInstance | undefined): boolean {
  if (slice.observedGeneration < slice.generation) return true;
  if (slice.desiredState !== 'running') return instance !== undefined;
  return (
    slice.status !== 'active' || instance?.state !== 'running' || instance.generation !== slice.generation
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
