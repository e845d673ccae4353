import { Injectable, Logger } from '@nestjs/common';
import { BillingError, Clock } from '#common';

const REFUSED_RETRY_MS = 3_600_000;

/** What is done for many customers, one after the other: one for whom it can't be done must not hold up the others. */
@Injectable()
export class OneByOne {
  private readonly logger = new Logger('Billing');
  private readonly refusedUntil = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /**
   * Does something for one of them. Whom Stripe refuses is left alone for an hour; whom somebody else is at, until the
   * next time.
   * @throws what concerns everybody, a payment provider that is away above all
   */
  async run(userId: string, work: () => Promise<unknown>): Promise<void> {
    const now = this.clock.nowMs();
    if ((this.refusedUntil.get(userId) ?? 0) > now) return;
    this.refusedUntil.delete(userId);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof BillingError) || error.code === 'PAYMENT_PROVIDER_UNAVAILABLE') throw error;
      if (error.code === 'BILLING_BUSY') return;
      this.refusedUntil.set(userId, now + REFUSED_RETRY_MS);
      this.logger.warn(
        { err: error, userId },
        'a customer could not be looked after; tried again in an hour',
      );
    }
  }
}
