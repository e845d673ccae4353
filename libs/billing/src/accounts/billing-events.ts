import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { Clock } from '#common';
import { BillingEvent, Transactions } from '#database';
import type { ProviderEvent } from '../provider/payment-provider.js';

/** Stripe gives up a delivery after three days; what is older can't come again. */
const KEPT_MS = 90 * 24 * 3_600_000;

/** The events that were taken. */
@Injectable()
export class BillingEvents {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  wasTaken(id: string): Promise<boolean> {
    return this.transactions.manager.existsBy(BillingEvent, { id });
  }

  /**
   * Takes an event, in the transaction of its effect. Whoever takes the same one at the same time waits for the end of
   * that.
   * @returns false when it was taken before
   */
  async take({ id, type, objectId, customerId, createdAt }: ProviderEvent): Promise<boolean> {
    const { raw } = await this.transactions.manager
      .createQueryBuilder()
      .insert()
      .into(BillingEvent)
      .values({ id, type, objectId, customerId, createdAt, receivedAt: this.clock.now() })
      .orIgnore()
      .returning('id')
      .execute();
    return Array.isArray(raw) && raw.length > 0;
  }

  /** Removes those that can't come again. */
  async forgetOld(): Promise<void> {
    const before = new Date(this.clock.nowMs() - KEPT_MS);
    await this.transactions.manager.delete(BillingEvent, { receivedAt: LessThan(before) });
  }
}
