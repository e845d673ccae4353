import { Inject, Injectable } from '@nestjs/common';
import { OrchestratorError, validationFailed } from '#common';
import type { Slice } from '#database';
import { PORT_REST_MS } from '../ports/port-allocator.js';
import { Convergence, isSettled } from '../reconcile/convergence.js';
import { SliceRuntime } from '../runtimes/slice-runtime.js';
import { orUnavailable } from './runtime-unavailable.js';
import { SliceAudit, wishedFor } from './slice-audit.js';
import { SliceFactory } from './slice-factory.js';
import { SliceIdempotency } from './slice-idempotency.js';
import { conflictOf } from './slice-conflicts.js';
import { SliceRepository, type Wish } from './slice-repository.js';
import { SliceSecrets } from './slice-secrets.js';
import type { ProvisionRequest, SliceChange } from './slice-request.js';

/** What an operator does with slices. Each call changes what is desired, and most wait for it to come about. */
@Injectable()
export class SliceService {
  constructor(
    private readonly slices: SliceRepository,
    private readonly factory: SliceFactory,
    private readonly idempotency: SliceIdempotency,
    private readonly convergence: Convergence,
    private readonly secrets: SliceSecrets,
    private readonly audit: SliceAudit,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
  ) {}

  list(): Promise<Slice[]> {
    return this.slices.all();
  }

  /** @throws OrchestratorError SLICE_NOT_FOUND, also for a tombstone */
  async get(id: number): Promise<Slice> {
    return (await this.slices.find(id)) ?? notFound(id);
  }

  /**
   * A new slice, or the one that the same name or key already made.
   * @param wait until it is healthy; otherwise it goes on in the background
   */
  async provision(request: ProvisionRequest, idempotencyKey: string | null, wait: boolean): Promise<Slice> {
    this.assertImageIsOfUse(request);
    const known = await this.idempotency.find(request, idempotencyKey);
    const slice = known ?? (await this.create(request, idempotencyKey));
    if (!wait) {
      this.convergence.begin(slice.id);
      return slice;
    }
    const settled = await this.convergence.settled(slice.id);
    if (known === null && settled.lastErrorCode === 'NO_FREE_PORT') await this.takeBack(settled);
    return cameUp(settled);
  }

  /** Changes what the slice is made of, running or stopped. */
  async change(id: number, change: SliceChange): Promise<Slice> {
    this.assertImageIsOfUse(change);
    const slice = await this.get(id);
    const isOurs = slice.runtime !== 'external';
    if (!isOurs) assertOnlyTold(slice, change);
    try {
      const changed = await this.audit.changing('slice.change', slice, wishedFor(change), () =>
        // Somebody else runs it, and has said how it is: a name is no reason to think otherwise.
        isOurs ? this.slices.desire(id, this.wishOf(id, change)) : this.slices.amend(id, amendmentOf(change)),
      );
      if (!changed) return notFound(id);
    } catch (error) {
      throw conflictOf(error, change);
    }
    return isOurs ? cameUp(await this.convergence.settled(id)) : this.get(id);
  }

  start(id: number): Promise<Slice> {
    return this.want(id, 'running');
  }

  stop(id: number): Promise<Slice> {
    return this.want(id, 'stopped');
  }

  /** Stops and starts it, also when it runs well. */
  restart(id: number): Promise<Slice> {
    return this.want(id, 'running', true);
  }

  /**
   * Ends the slice with its data; its row stays as a tombstone. A tombstone is left as it is.
   * @param force also when a customer owns it
   */
  async destroy(id: number, force: boolean): Promise<Slice> {
    const slice = (await this.slices.findAny(id)) ?? notFound(id);
    if (slice.destroyedAt !== null) return slice;
    if (slice.desiredState !== 'absent' && !(await this.dismiss(slice, force))) {
      const latest = await this.slices.find(id);
      if (latest !== null && latest.desiredState !== 'absent') throw inUse(id);
    }
    return this.convergence.settled(id);
  }

  private wishOf(id: number, change: SliceChange): Wish {
    const { image, cpus, memory, env } = change;
    return {
      ...amendmentOf(change),
      ...(image === undefined ? {} : { image }),
      ...(cpus === undefined ? {} : { cpus }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(env === undefined ? {} : { envSealed: this.secrets.sealEnv(id, env) }),
    };
  }

  private async create(request: ProvisionRequest, idempotencyKey: string | null): Promise<Slice> {
    await orUnavailable(this.runtime.check());
    try {
      return await this.factory.create(request, idempotencyKey, (slice) =>
        this.audit.made(slice, wishedFor(request)),
      );
    } catch (error) {
      // Somebody else may have made the very same slice in the meantime: then that one is the answer.
      const existing = await this.idempotency.find(request, idempotencyKey);
      if (existing !== null) return existing;
      throw conflictOf(error, request);
    }
  }

  private dismiss(slice: Slice, force: boolean): Promise<boolean> {
    return this.audit.changing('slice.destroy', slice, { desired: 'absent', force }, () =>
      this.slices.dismiss(slice.id, force),
    );
  }

  private async want(id: number, desired: 'running' | 'stopped', anew = false): Promise<Slice> {
    const slice = await this.get(id);
    // One that is on its way there already is waited for; one that failed on it is told again, and so is one that
    // billing stopped: by the operator's wish it stays stopped when the customer has paid.
    const isWanted =
      slice.desiredState === desired &&
      slice.stoppedBy === null &&
      !(isSettled(slice) && slice.status === 'failed');
    if (anew || !isWanted) {
      const action = anew ? 'slice.restart' : desired === 'running' ? 'slice.start' : 'slice.stop';
      const told = await this.audit.changing(action, slice, { desired }, () =>
        this.slices.desire(id, { desiredState: desired }),
      );
      if (!told) return notFound(id);
    }
    return cameUp(await this.convergence.settled(id));
  }

  /** @throws CoreError VALIDATION_FAILED: another app than the one asked for would run */
  private assertImageIsOfUse({ image }: { image?: string | undefined }): void {
    if (image === undefined || this.runtime.kind === 'docker') return;
    throw validationFailed([
      { path: 'image', message: 'is for the docker runtime; here slices run SLICE_COMMAND' },
    ]);
  }

  /** Of a refused request nothing stays, not even its key: the same request may be made again when there is room. */
  private async takeBack(slice: Slice): Promise<void> {
    await this.idempotency.forget(slice.id);
    if (await this.slices.withdraw(slice.id, slice.generation)) await this.convergence.settled(slice.id);
  }
}

/** @throws OrchestratorError what kept the slice from becoming what it should be */
function cameUp(slice: Slice): Slice {
  if (slice.status === 'destroyed') return notFound(slice.id);
  if (slice.status !== 'failed') return slice;
  throw new OrchestratorError(
    slice.lastErrorCode ?? 'SLICE_PROVISIONING_FAILED',
    `Slice ${slice.id} did not start: ${slice.lastError ?? 'no reason was recorded'}`,
    slice.lastErrorCode === 'NO_FREE_PORT' ? { retryAfterSeconds: PORT_REST_MS / 1000 } : {},
  );
}

/** What is only told of a slice; one that was changed is nobody's to be given by itself. */
function amendmentOf({ name, owner }: SliceChange) {
  return {
    claimable: false,
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { ownerId: owner }),
  };
}

/** @throws OrchestratorError SLICE_NOT_MANAGED: whoever runs it decides what it is made of */
function assertOnlyTold({ id }: Slice, { image, env, memory, cpus }: SliceChange): void {
  if ([image, env, memory, cpus].every((asked) => asked === undefined)) return;
  throw new OrchestratorError(
    'SLICE_NOT_MANAGED',
    `Slice ${id} was registered as it ran: only its name and its owner can be changed here.`,
  );
}

function inUse(id: number): OrchestratorError {
  return new OrchestratorError(
    'SLICE_IN_USE',
    `Slice ${id} belongs to a customer. To destroy it with its data, add ?force=true.`,
  );
}

function notFound(id: number): never {
  throw new OrchestratorError('SLICE_NOT_FOUND', `There is no slice ${id}.`);
}
