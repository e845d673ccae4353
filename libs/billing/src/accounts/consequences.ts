import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { AppConfig } from '#config';
import type { BillingAccount, SubscriptionStatus } from '#database';
import { SliceHolds } from '#orchestrator';
import { type Entitlement, entitlementOf } from '../entitlement/entitlement.js';
import { nextOf, type Timeline, timelineOf, withoutRemoval } from '../entitlement/timeline.js';
import { BillingJournal } from '../journal/billing-journal.js';
import type { CustomerReading } from '../provider/payment-provider.js';
import { type BillingRules, rulesOf } from '../rules.js';
import { BillingAccounts } from './billing-accounts.js';
import { Notices } from './notices.js';

/** Who pays again after the slice was removed gets a new one; while there is none to be had, it is tried ever more seldom. */
const SLICE_RETRY_MS = { from: 60_000, to: 3_600_000 };

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
   * @param reading what was read of it now; null where there is no customer at Stripe
   */
  async follow(
    account: BillingAccount,
    before: SubscriptionStatus,
    reading: CustomerReading | null,
    cause: string,
  ): Promise<void> {
    const openInvoice = reading?.kind === 'customer' ? reading.openInvoice : null;
    const nowMs = this.clock.nowMs();
    const { entitled } = this.entitlement(account);
    const switched = await this.switchSlice(account.userId, entitled, cause);
    if (switched) account.heldSince = entitled ? null : this.clock.now();
    // Of another end, or of one before the slice was in use again.
    if (switched || account.status !== 'canceled') account.removalNoticedAt = null;
    const hasData = await this.holds.hasData(account.userId);
    if (hasData) await this.noticeRemoval(account, cause, nowMs);
    const ahead = timelineOf(account, this.rules);
    const timeline = hasData ? ahead : withoutRemoval(ahead);
    await this.notices.ofTime(account, timeline, openInvoice, cause, nowMs);
    await this.notices.ofEnd(account, hasData, cause);
    if (reading?.kind === 'customer') await this.notices.ofSecond(account, reading.second, cause);
    // Whoever has never paid is not told that what they have not had was stopped, or is back.
    if (switched && (hasPaid(before) || (!entitled && hasPaid(account.status))))
      await this.tell(account.userId, entitled, timeline);
    if (isRemovable(account, timeline, nowMs)) await this.remove(account, cause);
    account.nextStepAt = this.nextStepOf(account, entitled, timeline, cause);
    const { nextStepAt, sliceRemovedAt, heldSince, removalNoticedAt } = account;
    await this.accounts.update(account.userId, { nextStepAt, sliceRemovedAt, heldSince, removalNoticedAt });
  }

  /** Whether a customer may use the slice now. */
  entitlement(account: Pick<BillingAccount, 'status' | 'pastDueSince'>): Entitlement {
    return entitlementOf(account, this.rules, this.clock.nowMs());
  }

  /** Billing is off, and holds nobody's slice any more. */
  async releaseSlice(userId: string): Promise<void> {
    if (await this.switchSlice(userId, true, 'billing_disabled'))
      await this.accounts.update(userId, { heldSince: null, removalNoticedAt: null });
  }

  /**
   * Lets the slice run, or not; one that somebody else has stopped stays as it is.
   * @returns whether that was a change
   */
  private async switchSlice(userId: string, running: boolean, cause: string): Promise<boolean> {
    const sliceId = running ? await this.holds.release(userId) : await this.holds.hold(userId);
    if (sliceId === null) return false;
    const step = running ? 'slice_started' : 'slice_stopped';
    await this.journal.note({ userId, step, cause, detail: { sliceId } });
    return true;
  }

  private tell(userId: string, running: boolean, { removedAt }: Timeline): Promise<void> {
    return running ? this.notices.ofStart(userId) : this.notices.ofStop(userId, removedAt);
  }

  /** Before data goes its owner is told, however late that is: it goes no sooner than the notice says. */
  private async noticeRemoval(account: BillingAccount, cause: string, nowMs: number): Promise<void> {
    const { noticeOfRemovalAt } = timelineOf(account, this.rules);
    const isDue = noticeOfRemovalAt !== null && nowMs >= noticeOfRemovalAt;
    if (!isDue || account.removalNoticedAt !== null || account.sliceRemovedAt !== null) return;
    account.removalNoticedAt = this.clock.now();
    const { removedAt } = timelineOf(account, this.rules);
    if (removedAt !== null) await this.notices.ofComingRemoval(account, removedAt, cause);
  }

  private nextStepOf(
    { sliceRemovedAt, statusSince }: BillingAccount,
    entitled: boolean,
    timeline: Timeline,
    cause: string,
  ): Date | null {
    const nowMs = this.clock.nowMs();
    if (!entitled || sliceRemovedAt === null) return nextOf(timeline, nowMs);
    // A new slice is owed. Where an operator has to make room first, that takes a while.
    if (cause !== BY_TIME) return new Date(nowMs);
    const owedMs = nowMs - (statusSince?.getTime() ?? nowMs);
    return new Date(nowMs + Math.min(Math.max(owedMs, SLICE_RETRY_MS.from), SLICE_RETRY_MS.to));
  }

  private async remove(account: BillingAccount, cause: string): Promise<void> {
    const { userId } = account;
    const sliceId = await this.holds.remove(userId);
    if (sliceId === null) return;
    account.sliceRemovedAt = this.clock.now();
    await this.journal.note({ userId, step: 'slice_removed', cause, detail: { sliceId } });
    await this.notices.ofRemoval(userId);
  }
}

function hasPaid(status: SubscriptionStatus): boolean {
  return status !== 'none' && status !== 'incomplete' && status !== 'incomplete_expired';
}

function isRemovable(account: BillingAccount, { removedAt }: Timeline, nowMs: number): boolean {
  const { removalNoticedAt, sliceRemovedAt } = account;
  return removedAt !== null && nowMs >= removedAt && removalNoticedAt !== null && sliceRemovedAt === null;
}
