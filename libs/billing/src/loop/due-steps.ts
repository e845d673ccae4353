import { Injectable } from '@nestjs/common';
import { SliceAllocator } from '#auth';
import { BillingError, Clock } from '#common';
import type { BillingAccount } from '#database';
import { BillingAccounts } from '../accounts/billing-accounts.js';
import { BY_TIME, Consequences } from '../accounts/consequences.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { BillingJournal } from '../journal/billing-journal.js';
import { OneByOne } from './one-by-one.js';

const AT_ONCE = 100;
/** Else those whom Stripe refuses would always be the first that are due. */
const REFUSED_RETRY_MS = 3_600_000;

/** Notices, stops and removals whose time has come. Stripe is asked before each: nobody is stopped who has paid by now. */
@Injectable()
export class DueSteps {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly updates: SubscriptionUpdates,
    private readonly consequences: Consequences,
    private readonly journal: BillingJournal,
    private readonly slices: SliceAllocator,
    private readonly customers: OneByOne,
    private readonly clock: Clock,
  ) {}

  /** @throws BillingError PAYMENT_PROVIDER_UNAVAILABLE: then it is all to be tried again later */
  async run(signal: AbortSignal): Promise<void> {
    for (const userId of await this.accounts.due(this.clock.now(), AT_ONCE)) {
      if (signal.aborted) return;
      await this.customers.run(userId, () =>
        this.take(userId).catch((error: unknown) => this.putOff(userId, error)),
      );
    }
  }

  private async take(userId: string): Promise<void> {
    const account = await this.updates.refresh(userId, { cause: BY_TIME });
    const { entitled } = this.consequences.entitlement(account);
    if (entitled && account.sliceRemovedAt !== null) await this.giveSlice(account);
  }

  /** Who pays again after the slice was removed. The old one has to be gone first. */
  private async giveSlice({ userId }: BillingAccount): Promise<void> {
    const user = await this.accounts.recipient(userId);
    const slice = user && (await this.slices.allocate(user));
    if (slice === null || slice.status === 'destroying') return;
    await this.updates.refresh(userId, {
      cause: BY_TIME,
      first: async () => {
        await this.accounts.update(userId, { sliceRemovedAt: null });
        const detail = { sliceId: slice.id };
        return this.journal.note({ userId, step: 'slice_given', cause: BY_TIME, detail });
      },
    });
  }

  private async putOff(userId: string, error: unknown): Promise<never> {
    if (error instanceof BillingError && error.code === 'PAYMENT_PROVIDER_FAILED')
      await this.accounts.update(userId, { nextStepAt: new Date(this.clock.nowMs() + REFUSED_RETRY_MS) });
    throw error;
  }
}
