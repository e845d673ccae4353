import { setTimeout as wait } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock, Complaint } from '#common';
import { ControlConnection, Election, type Slice } from '#database';
import { type ListedInstance, SliceRuntime } from '../runtimes/slice-runtime.js';
import { SliceRepository } from '../slices/slice-repository.js';
import { DepartedCustomers } from '../slices/departed-customers.js';
import { WaitingCustomers } from '../slices/waiting-customers.js';
import { WarmPool } from '../slices/warm-pool.js';
import { Backoff } from './backoff.js';
import { Convergence } from './convergence.js';
import { Reconciler, STOP_GRACE_MS } from './reconciler.js';

const LEADER = 'reconcile-loop';
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
  private readonly repairs = new Map<number, Promise<void>>();
  private wake = new AbortController();
  private readonly complaint = new Complaint();

  constructor(
    private readonly control: ControlConnection,
    private readonly slices: SliceRepository,
    private readonly reconciler: Reconciler,
    private readonly convergence: Convergence,
    private readonly waiting: WaitingCustomers,
    private readonly departed: DepartedCustomers,
    private readonly pool: WarmPool,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    clock: Clock,
  ) {
    this.backoff = new Backoff(clock);
    this.election = new Election(control, LEADER);
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
    await Promise.all([this.election.stop(), this.reconciler.stop()]);
    await this.convergence.idle();
    await this.endSlices();
  }

  /** While another gateway leads, the slices are its to keep; and while they end, none is to lead and start them. */
  private async endSlices(): Promise<void> {
    // Without the database nobody can lead.
    const lock = await this.control.tryLock(LEADER).catch(() => undefined);
    if (lock === null) return;
    try {
      await this.runtime.shutdown(STOP_GRACE_MS);
    } finally {
      await lock?.release();
    }
  }

  private async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.wake = new AbortController();
      await this.pass(signal).then(
        () => this.complaint.end(),
        (error: unknown) => this.complain(error),
      );
      await pause(INTERVAL_MS, AbortSignal.any([signal, this.wake.signal]));
      await pause(SETTLE_MS, signal);
    }
    // They lost their locks together with ours, or were told to stop.
    await Promise.all(this.repairs.values());
  }

  /** Begins the repairs, and waits for none: a slice that takes its minute to fail must not hold up the others. */
  private async pass(signal: AbortSignal): Promise<void> {
    const [slices, instances] = await Promise.all([this.slices.all(), this.runtime.list()]);
    const byId = new Map(instances.map((instance) => [instance.sliceId, instance]));
    this.backoff.keepOnly(new Set(slices.map(({ id }) => id)));
    for (const slice of slices) {
      if (signal.aborted) return;
      if (!hasDrifted(slice, byId.get(slice.id))) this.backoff.steady(slice);
      else if (!this.repairs.has(slice.id) && this.backoff.allows(slice)) this.repair(slice);
    }
    await this.waiting.serve();
    await this.departed.clear();
    await this.pool.topUp();
  }

  private repair(slice: Slice): void {
    const repair = this.reconciler
      .reconcile(slice.id)
      .then(
        (done) => done && this.backoff.attempted(slice),
        // The reconciler has logged it.
        () => this.backoff.attempted(slice),
      )
      .then(() => void this.repairs.delete(slice.id));
    this.repairs.set(slice.id, repair);
  }

  /** An engine that is down stays so for many passes. */
  private complain(error: unknown): void {
    if (this.complaint.isNews(error))
      this.logger.error({ err: error }, 'the slices could not be looked at; it is tried every few seconds');
  }
}

/**
 * Its app runs as it should, and is not well: whoever watches over it gave it up, and sees when it recovers. Started
 * again by this loop it would look well for a moment, time and again.
 */
function isGivenUp({ status, lastErrorCode }: Slice): boolean {
  return status === 'failed' && lastErrorCode === 'SLICE_UNHEALTHY';
}

/** The row and the world differ, the latest wish is not yet fulfilled, or a fault of before is to be looked at again. */
function hasDrifted(slice: Slice, instance: ListedInstance | undefined): boolean {
  const isKnown = slice.lastError === null || isGivenUp(slice);
  if (slice.observedGeneration < slice.generation || !isKnown) return true;
  // Somebody else runs it.
  if (slice.runtime === 'external') return false;
  if (slice.desiredState !== 'running') return instance !== undefined;
  const isSettled = slice.status === 'active' || isGivenUp(slice);
  return !isSettled || instance?.state !== 'running' || instance.generation !== slice.generation;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
