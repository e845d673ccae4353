import { Injectable } from '@nestjs/common';
import { DataSource, LessThan } from 'typeorm';
import { Clock, OrchestratorError } from '#common';
import { IdempotencyKey, type Slice } from '#database';
import { requestHash, type ProvisionRequest } from './slice-request.js';
import { SliceRepository } from './slice-repository.js';

const KEPT_MS = 24 * 3_600_000;

/** Finds what an earlier, equal request made, so that repeating a request does nothing twice. */
@Injectable()
export class SliceIdempotency {
  constructor(
    private readonly dataSource: DataSource,
    private readonly slices: SliceRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * The slice of the same key, else of the same name; null for a request that was never made.
   * @throws OrchestratorError IDEMPOTENCY_KEY_REUSED or SLICE_NAME_TAKEN when that request was another one, or what it
   * made is gone
   */
  async find(request: ProvisionRequest, key: string | null): Promise<Slice | null> {
    const hash = requestHash(request);
    const byKey = key === null ? null : await this.byKey(key, hash);
    if (byKey !== null || request.name === undefined) return byKey;
    const byName = await this.slices.findByName(request.name);
    if (byName !== null && byName.specHash !== hash) {
      throw new OrchestratorError(
        'SLICE_NAME_TAKEN',
        `Slice ${byName.id} is named ${request.name} and was asked for differently. Choose another name, or PATCH that slice.`,
      );
    }
    return byName;
  }

  /** A request that made the slice, and was refused in the end, counts as never made. */
  async forget(sliceId: number): Promise<void> {
    await this.dataSource.manager.delete(IdempotencyKey, { sliceId });
  }

  private async byKey(key: string, hash: string): Promise<Slice | null> {
    const { manager } = this.dataSource;
    await manager.delete(IdempotencyKey, { createdAt: LessThan(new Date(this.clock.nowMs() - KEPT_MS)) });
    const entry = await manager.findOneBy(IdempotencyKey, { key });
    if (entry === null) return null;
    if (entry.requestHash !== hash) {
      throw new OrchestratorError(
        'IDEMPOTENCY_KEY_REUSED',
        'This Idempotency-Key came with another request before. Use a new one.',
      );
    }
    return (await this.slices.find(entry.sliceId)) ?? destroyedMeanwhile();
  }
}

/** The answer of that time would be a lie, and another slice is not what a late repetition asks for. */
function destroyedMeanwhile(): never {
  throw new OrchestratorError(
    'IDEMPOTENCY_KEY_REUSED',
    'The slice that this Idempotency-Key made was destroyed. Use a new key for a new slice.',
  );
}
