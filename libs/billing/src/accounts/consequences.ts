import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { AppConfig } from '#config';
import type { BillingAccount, SubscriptionStatus } from '#database';
import { SliceHolds } from '#orchestrator';
import { type Entitlement, entitlementOf } from '../entitlement/entitlement.js';
import { nextOf, type Timeline, timelineOf } from '../entitlement/timeline.js';
import { BillingJournal } from '../journal/billing-journal.js';
import type { OpenInvoice } from '../provider/payment-provider.js';
import { type BillingRules, rulesOf } from '../rules.js';
import { BillingAccounts } from './billing-accounts.js';
import { Notices } from './notices.js';

/** Who pays again after the slice was removed gets a new one; while there is none to be had, it is tried so often. */
const SLICE_RETRY_MS = 60_000;

/** The cause of what comes by time alone. */
export const BY_TIME = 'time';

/**
 * What a subscription means for the slice: what is desired of it, who is told, and when to look again. Everything here
 * is part of one transaction, with the account locked, and does nothing the second time.
 */
@Injectable()
export class Consequences {
  private readonly rules: BillingRules;

  constructor(
    private readonly accounts: BillingAccounts,
    private readonly holds: SliceHolds,
    private readonly notices: Notices,
    private readonly journal: BillingJournal,
    private readonly clock: Clock,
    config: AppConfig,
  ) {
    this.rules = rulesOf(config);
  }

  /**
   * @param account as it stands in this transaction, locked
   * @param before what its status was
   */
  async follow(
    account: BillingAccount,
    before: SubscriptionStatus,
    openInvoice: OpenInvoice | null,
    cause: string,
  ): Promise<void> {
    const nowMs = this.clock.nowMs();
    const timeline = timelineOf(account, this.rules);
    await this.notices.ofTime(account, timeline, openInvoice, cause, nowMs);
    await this.notices.ofEnd(account, cause);
    const { entitled } = this.entitlement(account);
    const removed = timeline.removedAt !== null && nowMs >= timeline.removedAt;
    if (removed && account.sliceRemovedAt === null) await this.remove(account, cause);
    else {
      // Whoever has never paid is not told that what they have not had was stopped, or is back.
      const isNews = hasPaid(entitled ? before : account.status);
      await this.setRunning(account.userId, entitled, cause, isNews ? timeline : null);
    }
    const owed = entitled && account.sliceRemovedAt !== null;
    const lookForSlice = cause === BY_TIME ? nowMs + SLICE_RETRY_MS : nowMs;
    account.nextStepAt = owed ? new Date(lookForSlice) : nextOf(timeline, nowMs);
    await this.accounts.update(account.userId, {
      nextStepAt: account.nextStepAt,
      sliceRemovedAt: account.sliceRemovedAt,
    });
  }

  /** Whether a customer may use the slice now. */
  entitlement(account: Pick<BillingAccount, 'status' | 'pastDueSince'>): Entitlement {
    return entitlementOf(account, this.rules, this.clock.nowMs());
  }

  /**
   * Lets the slice run, or not; one that somebody else has stopped stays as it is.
   * @param told what its owner is to know of what comes next; null: nobody is told
   */
  async setRunning(userId: string, running: boolean, cause: string, told: Timeline | null): Promise<void> {
    const sliceId = running ? await this.holds.release(userId) : await this.holds.hold(userId);
    if (sliceId === null) return;
    const step = running ? 'slice_started' : 'slice_stopped';
    await this.journal.note({ userId, step, cause, detail: { sliceId } });
    if (told === null) return;
    if (running) await this.notices.ofStart(userId);
    else await this.notices.ofStop(userId, told.removedAt);
  }

  private async remove(account: BillingAccount, cause: string): Promise<void> {
    const { userId } = account;
    const sliceId = await this.holds.remove(userId);
    account.sliceRemovedAt = this.clock.now();
    if (sliceId === null) return;
    await this.journal.note({ userId, step: 'slice_removed', cause, detail: { sliceId } });
    await this.notices.ofRemoval(userId);
  }
}

function hasPaid(status: SubscriptionStatus): boolean {
  return status !== 'none' && status !== 'incomplete' && status !== 'incomplete_expired';
}
