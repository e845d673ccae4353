import { Injectable, Logger } from '@nestjs/common';
import { Complaint, DomainError } from '#common';
import { AppConfig } from '#config';
import { Convergence } from '../reconcile/convergence.js';
import { SliceFactory } from './slice-factory.js';
import { SliceRepository } from './slice-repository.js';

/** Keeps `SLICE_POOL_SIZE` slices ready that nobody owns, so that a sign-up gets a running one at once. */
@Injectable()
export class WarmPool {
  private readonly logger = new Logger(WarmPool.name);
  private readonly complaint = new Complaint();

  constructor(
    private readonly slices: SliceRepository,
    private readonly factory: SliceFactory,
    private readonly convergence: Convergence,
    private readonly config: AppConfig,
  ) {}

  /** Makes as many slices as are missing. Called by the one replica that runs the loop. */
  async topUp(): Promise<void> {
    const missing = this.config.slices.poolSize - (await this.slices.countUnclaimed());
    for (let made = 0; made < missing; made += 1) {
      try {
        const slice = await this.factory.create({});
        this.convergence.begin(slice.id);
        this.complaint.end();
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        this.complain(error);
        return;
      }
    }
  }

  /** The pool is looked at every few seconds; what stands in its way is said once. */
  private complain(error: DomainError): void {
    if (this.complaint.isNews(error))
      this.logger.warn({ code: error.code }, `no slice in reserve: ${error.message}`);
  }
}
