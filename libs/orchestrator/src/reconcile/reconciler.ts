import { Inject, Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock, CoreError, DomainError, assertNever } from '#common';
import { AppConfig } from '#config';
import { ControlConnection, type Slice } from '#database';
import { SliceDatabase, type SliceDatabaseAccess } from '../databases/slice-database.js';
import { PortAllocator } from '../ports/port-allocator.js';
import { PortTakenError } from '../runtimes/errors.js';
import { SliceRuntime, type SliceInstance } from '../runtimes/slice-runtime.js';
import { SliceRepository, type Observation } from '../slices/slice-repository.js';
import { SliceSecrets } from '../slices/slice-secrets.js';
import { endedEarly, faultOf, neverHealthy, SupersededError, type ReconcileFault } from './faults.js';
import { becomesHealthy } from './health-probe.js';
import { observedOf, TOMBSTONE } from './observations.js';
import { SliceSpecs } from './slice-specs.js';
import { SliceSteps } from './slice-steps.js';

/** How many slices are brought up or down at once: starting an app costs CPU that the running ones need as well. */
const PARALLEL = 4;

/** Slices that failed before are tried again beside the others: each may take its whole start time-out to fail again. */
const PARALLEL_RETRIES = 2;

/** A range full of ports that strangers hold is not searched to its end. */
const PORT_ATTEMPTS = 25;

export const STOP_GRACE_MS = 10_000;

/** Lock of a slice: whoever holds it may change the slice's part of the world. */
export function sliceLock(id: number): string {
  return `slice:${id}`;
}

/**
 * Moves the world towards what a slice's row desires. It alone does; everybody else only changes what is desired.
 * Every step is safe to repeat, so a `kill -9` anywhere is healed by the next pass.
 */
@Injectable()
export class Reconciler {
  private readonly logger = new Logger(Reconciler.name);
  private readonly slots = pLimit(PARALLEL);
  private readonly retrySlots = pLimit(PARALLEL_RETRIES);
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<boolean>>();

  constructor(
    private readonly slices: SliceRepository,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    @Inject(SliceDatabase) private readonly databases: SliceDatabase,
    private readonly ports: PortAllocator,
    private readonly specs: SliceSpecs,
    private readonly secrets: SliceSecrets,
    private readonly control: ControlConnection,
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly steps: SliceSteps,
  ) {}

  /**
   * One pass over one slice.
   * @returns false when another pass is under way, here or on another replica
   * @throws ReconcileFault when the pass could not be finished, and is worth another try
   * @throws CoreError DATABASE_UNAVAILABLE, SHUTTING_DOWN
   */
  async reconcile(id: number): Promise<boolean> {
    const slice = await this.slices.find(id);
    if (slice === null) return true;
    const isRetry = slice.status === 'failed' && slice.observedGeneration >= slice.generation;
    const pass = (isRetry ? this.retrySlots : this.slots)(() => this.reconcileLocked(id));
    this.underWay.add(pass);
    try {
      return await pass;
    } finally {
      this.underWay.delete(pass);
    }
  }

  /** Breaks off what is under way, which the next gateway takes up again, and begins nothing more. */
  async stop(): Promise<void> {
    this.stopping.abort(
      new CoreError('SHUTTING_DOWN', 'The gateway is stopping. Please try again in a moment.'),
    );
    await Promise.allSettled(this.underWay);
  }

  private async reconcileLocked(id: number): Promise<boolean> {
    this.stopping.signal.throwIfAborted();
    const lock = await this.control.tryLock(sliceLock(id));
    if (lock === null) return false;
    try {
      // Read under the lock: it may have changed while this pass waited for its turn.
      const slice = await this.slices.find(id);
      if (slice !== null) await this.pass(slice, AbortSignal.any([lock.signal, this.stopping.signal]));
      return true;
    } finally {
      await lock.release();
    }
  }

  private async pass(slice: Slice, signal: AbortSignal): Promise<void> {
    try {
      await this.towards(slice, signal);
    } catch (error) {
      // Without the lock the slice is somebody else's: not even what went wrong may be written any more.
      if (signal.aborted) throw brokenOff(signal.reason);
      if (error instanceof SupersededError) return;
      const fault = faultOf(error, slice);
      // What we found out ourselves needs no stack: it is the app's doing.
      const cause = fault.cause === undefined ? {} : { err: fault.cause };
      this.logger.warn(
        { sliceId: slice.id, code: fault.code, ...cause },
        `slice ${slice.id} (${slice.name}): ${fault.message}`,
      );
      await this.settleFault(slice, fault);
      this.steps.failed(slice, fault.message);
      if (fault.transient) throw fault;
    }
  }

  private towards(slice: Slice, signal: AbortSignal): Promise<void> {
    if (slice.runtime === 'external') return this.settleExternal(slice, signal);
    switch (slice.desiredState) {
      case 'running':
        return this.bringUp(slice, signal);
      case 'stopped':
        return this.bringDown(slice, signal);
      case 'absent':
        return this.tearDown(slice, signal);
      default:
        return assertNever(slice.desiredState);
    }
  }

  private async bringUp(slice: Slice, signal: AbortSignal): Promise<void> {
    const before = await this.runtime.inspect(slice.id);
    const steady =
      before?.state === 'running' && before.generation === slice.generation && slice.status === 'active';
    this.tellOfItsEnd(slice, before);
    if (!steady && slice.status !== 'failed') await this.observe(slice, { status: 'provisioning' }, signal);
    const access = await this.steps.run(slice, 'database', () => this.provideDatabase(slice, signal));
    signal.throwIfAborted();
    const instance = await this.steps.run(slice, 'start', () => this.startOnFreePort(slice, access, signal));
    await this.observe(slice, { host: instance.host, port: instance.port }, signal);
    await this.steps.run(slice, 'health', () => this.awaitHealth(slice, instance, signal));
    const healthy = { ...observedOf(slice, 'active'), lastHealthyAt: this.clock.now() };
    await this.observe(slice, healthy, signal);
    if (!steady) this.logger.log({ sliceId: slice.id }, `slice ${slice.id} is active`);
    this.steps.became(slice, 'active');
  }

  /** An app that ended by itself is started again, and its operator would see nothing of it but that it is up. */
  private tellOfItsEnd(slice: Slice, before: SliceInstance | null): void {
    if (slice.status !== 'active' || before?.state === 'running') return;
    if (before !== null && before.generation !== slice.generation) return;
    const how = before?.exitCode === undefined ? '' : ` with exit code ${before.exitCode}`;
    this.logger.warn({ sliceId: slice.id }, `slice ${slice.id} ended${how}; it is started again`);
  }

  /** The password is derived once and stored before it is used, so that it is the same ever after. */
  private async provideDatabase(slice: Slice, signal: AbortSignal): Promise<SliceDatabaseAccess> {
    let password = this.secrets.openDatabasePassword(slice);
    if (password === null) {
      const made = this.secrets.newDatabasePassword(slice.id);
      await this.observe(slice, { databasePasswordSealed: made.sealed }, signal);
      password = made.password;
    }
    signal.throwIfAborted();
    return this.databases.ensure(slice.id, password);
  }

  /** A port that a stranger listens on goes back to rest, and the next one is tried. */
  private async startOnFreePort(
    slice: Slice,
    access: SliceDatabaseAccess,
    signal: AbortSignal,
  ): Promise<SliceInstance> {
    for (let attempt = 1; ; attempt += 1) {
      const port = this.config.slices.network === null ? await this.ports.hold(slice.id) : null;
      try {
        return await this.runtime.start(this.specs.of(slice, access, port), signal);
      } catch (error) {
        if (!(error instanceof PortTakenError)) throw error;
        // Who has the slice's lock by now may have started it on this very port.
        signal.throwIfAborted();
        this.logger.warn(
          { sliceId: slice.id, port: error.port },
          `port ${error.port} is taken by another program`,
        );
        await this.ports.release(slice.id);
        if (attempt >= PORT_ATTEMPTS) throw error;
      }
    }
  }

  private async awaitHealth(slice: Slice, instance: SliceInstance, signal: AbortSignal): Promise<void> {
    const { healthPath, startTimeoutMs } = this.config.slices;
    const outcome = await becomesHealthy({
      host: instance.host,
      port: instance.port,
      path: healthPath,
      timeoutMs: startTimeoutMs,
      signal,
      hasEnded: () => this.hasEnded(slice),
    });
    if (outcome === 'healthy') return;
    if (outcome === 'ended') {
      // It keeps its last words for the operator.
      const exitCode = (await this.runtime.inspect(slice.id))?.exitCode;
      throw endedEarly(healthPath, exitCode);
    }
    signal.throwIfAborted();
    // What hangs must not go on using the machine.
    await this.runtime.stop(slice.id, STOP_GRACE_MS);
    throw neverHealthy(healthPath, startTimeoutMs);
  }

  /** @throws SupersededError: who wants the slice to stop need not wait until it has failed to start */
  private async hasEnded(slice: Slice): Promise<boolean> {
    const [instance, latest] = await Promise.all([
      this.runtime.inspect(slice.id),
      this.slices.find(slice.id),
    ]);
    if (latest?.generation !== slice.generation) throw new SupersededError(slice.id);
    return instance?.state !== 'running';
  }

  private async bringDown(slice: Slice, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.steps.run(slice, 'stop', () => this.runtime.stop(slice.id, STOP_GRACE_MS));
    await this.observe(slice, observedOf(slice, 'stopped'), signal);
    this.logger.log({ sliceId: slice.id }, `slice ${slice.id} is stopped`);
    this.steps.became(slice, 'stopped');
  }

  /** What holds data goes only after what writes to it, and the row last: as long as it is there, all can be retried. */
  private async tearDown(slice: Slice, signal: AbortSignal): Promise<void> {
    await this.observe(slice, { status: 'destroying' }, signal);
    signal.throwIfAborted();
    await this.steps.run(slice, 'stop', () => this.runtime.stop(slice.id, STOP_GRACE_MS));
    signal.throwIfAborted();
    await this.steps.run(slice, 'remove_data', () => this.runtime.removeData(slice.id));
    signal.throwIfAborted();
    await this.steps.run(slice, 'drop_database', () => this.databases.drop(slice.id));
    await this.bury(slice, signal);
  }

  /** Somebody else runs it: what is desired of it is only noted, and nothing of it is touched. */
  private async settleExternal(slice: Slice, signal: AbortSignal): Promise<void> {
    if (slice.desiredState === 'absent') return this.bury(slice, signal);
    const status = slice.desiredState === 'running' ? 'active' : 'stopped';
    await this.observe(slice, observedOf(slice, status), signal);
    this.steps.became(slice, status);
  }

  private async bury(slice: Slice, signal: AbortSignal): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      signal.throwIfAborted();
      await this.ports.release(slice.id, manager);
      const tombstone = { ...observedOf(slice, 'destroyed'), ...TOMBSTONE, destroyedAt: this.clock.now() };
      await this.observe(slice, tombstone, signal, manager);
    });
    this.logger.log({ sliceId: slice.id }, `slice ${slice.id} is destroyed`);
    this.steps.became(slice, 'destroyed');
  }

  /**
   * A lasting fault ends the attempt: the slice is `failed` until somebody wants something else, or the loop tries
   * again. A transient one leaves it unsettled.
   */
  private async settleFault(slice: Slice, fault: ReconcileFault): Promise<void> {
    const seen: Observation = { lastError: fault.message, lastErrorCode: fault.code };
    if (!fault.transient) Object.assign(seen, { status: 'failed', observedGeneration: slice.generation });
    try {
      await this.slices.observe(slice.id, slice.generation, seen);
    } catch (error) {
      // Without the database nothing can be noted; the fault itself is what the caller must hear of.
      this.logger.error({ sliceId: slice.id, err: error }, 'the outcome of a pass could not be stored');
    }
  }

  /**
   * @throws SupersededError when something newer is desired: this pass has no business any more
   * @throws the signal's reason when the lock is lost: a pass over the same generation may be another replica's by now
   */
  private async observe(
    slice: Slice,
    seen: Observation,
    signal: AbortSignal,
    manager?: EntityManager,
  ): Promise<void> {
    signal.throwIfAborted();
    if (!(await this.slices.observe(slice.id, slice.generation, seen, manager)))
      throw new SupersededError(slice.id);
  }
}

/** What ended a pass from outside: the stop of the gateway, else the loss of the lock with its connection. */
function brokenOff(reason: unknown): DomainError {
  if (reason instanceof DomainError) return reason;
  return new CoreError(
    'DATABASE_UNAVAILABLE',
    'The connection to the database was lost; the slice is seen to when it is back.',
    { cause: reason, retryAfterSeconds: 1 },
  );
}
