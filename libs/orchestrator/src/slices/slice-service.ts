import { Inject, Injectable } from '@nestjs/common';
import { OrchestratorError } from '#common';
import type { DesiredState, Slice } from '#database';
import { Convergence } from '../reconcile/convergence.js';
import { SliceRuntime } from '../runtimes/slice-runtime.js';
import { SliceFactory } from './slice-factory.js';
import { SliceIdempotency } from './slice-idempotency.js';
import { conflictOf } from './slice-conflicts.js';
import { SliceRepository } from './slice-repository.js';
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
    const slice =
      (await this.idempotency.find(request, idempotencyKey)) ?? (await this.create(request, idempotencyKey));
    if (!wait) {
      this.convergence.begin(slice.id);
      return slice;
    }
    return this.cameUp(await this.convergence.settled(slice.id));
  }

  async change(id: number, change: SliceChange): Promise<Slice> {
    const slice = await this.get(id);
    const { env, memory, owner, ...same } = change;
    const columns = {
      ...same,
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(owner === undefined ? {} : { ownerId: owner }),
      ...(env === undefined ? {} : { envSealed: this.secrets.sealEnv(id, env) }),
    };
    try {
      const changed = await this.slices.desire(id, slice.desiredState, columns);
      if (changed === null) return notFound(id);
    } catch (error) {
      throw conflictOf(error, change);
    }
    return this.cameUp(await this.convergence.settled(id));
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
    if (slice.ownerId !== null && !force) {
      throw new OrchestratorError(
        'SLICE_IN_USE',
        `Slice ${id} belongs to a customer. To destroy it with its data, add ?force=true.`,
      );
    }
    if (slice.desiredState !== 'absent') await this.slices.desire(id, 'absent');
    return this.convergence.settled(id);
  }

  private async create(request: ProvisionRequest, idempotencyKey: string | null): Promise<Slice> {
    await this.runtime.check().catch((error: unknown) => {
      throw new OrchestratorError(
        'RUNTIME_UNAVAILABLE',
        "Slices can't be started here just now; try again later.",
        {
          cause: error,
          retryAfterSeconds: 10,
        },
      );
    });
    try {
      return await this.factory.create(request, idempotencyKey);
    } catch (error) {
      // Somebody else may have made the very same slice in the meantime: then that one is the answer.
      const existing = await this.idempotency.find(request, idempotencyKey);
      if (existing !== null) return existing;
      throw conflictOf(error, request);
    }
  }

  private async want(id: number, desired: DesiredState, anyway = false): Promise<Slice> {
    const slice = await this.get(id);
    const asWanted =
      slice.desiredState === desired && slice.status === (desired === 'running' ? 'active' : 'stopped');
    if (asWanted && !anyway) return slice;
    if ((await this.slices.desire(id, desired)) === null) notFound(id);
    return this.cameUp(await this.convergence.settled(id));
  }

  /**
   * @throws OrchestratorError what kept the slice from running. A new one that found no port is taken back: nothing
   * of a refused request stays.
   */
  private async cameUp(slice: Slice): Promise<Slice> {
    if (slice.status !== 'failed') return slice;
    const code = slice.lastErrorCode ?? 'SLICE_PROVISIONING_FAILED';
    if (code === 'NO_FREE_PORT' && slice.lastHealthyAt === null) await this.destroy(slice.id, true);
    throw new OrchestratorError(
      code,
      `Slice ${slice.id} did not start: ${slice.lastError ?? 'no reason was recorded'}`,
    );
  }
}

function notFound(id: number): never {
  throw new OrchestratorError('SLICE_NOT_FOUND', `There is no slice ${id}.`);
}
