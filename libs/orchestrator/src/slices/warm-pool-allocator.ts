import { Injectable, Logger } from '@nestjs/common';
import { SliceAllocator, type CustomerSlice } from '#auth';
import { DomainError } from '#common';
import { AppConfig } from '#config';
import { isUniqueViolation, type Slice } from '#database';
import { Convergence } from '../reconcile/convergence.js';
import { customerView } from './customer-view.js';
import { SliceFactory } from './slice-factory.js';
import { SliceRepository } from './slice-repository.js';

/** Gives a customer who signs up a slice: a ready one of the pool, else a new one. */
@Injectable()
export class WarmPoolAllocator extends SliceAllocator {
  private readonly logger = new Logger(WarmPoolAllocator.name);

  constructor(
    private readonly slices: SliceRepository,
    private readonly factory: SliceFactory,
    private readonly convergence: Convergence,
    private readonly config: AppConfig,
  ) {
    super();
  }

  override async allocate(user: { id: string }): Promise<CustomerSlice | null> {
    const slice = await this.claimOrCreate(user.id);
    return customerView(slice);
  }

  override async sliceOf(userId: string): Promise<CustomerSlice | null> {
    const slice = await this.slices.findByOwner(userId);
    return customerView(slice);
  }

  override async retire(userId: string): Promise<void> {
    const slice = await this.slices.findByOwner(userId);
    if (slice !== null) await this.slices.desire(slice.id, { desiredState: 'stopped' });
  }

  private async claimOrCreate(userId: string): Promise<Slice | null> {
    try {
      const existing = (await this.slices.findByOwner(userId)) ?? (await this.slices.claim(userId));
      if (existing !== null || !this.config.slices.autoProvision) return existing;
      const slice = await this.factory.create({ owner: userId });
      this.convergence.begin(slice.id);
      return slice;
    } catch (error) {
      // Two requests of one customer at once: the other one's slice is theirs.
      if (isUniqueViolation(error, 'slice_live_owner')) return this.slices.findByOwner(userId);
      if (!(error instanceof DomainError)) throw error;
      this.logger.warn({ userId, code: error.code }, `no slice for a new customer: ${error.message}`);
      return null;
    }
  }
}
