import { Injectable } from '@nestjs/common';
import { AllowedOrigins } from '#auth';
import { Mailer } from '#common';
import { AppConfig } from '#config';
import type { BillingAccount } from '#database';
import type { Timeline } from '../entitlement/timeline.js';
import { BillingJournal, type BillingStepName } from '../journal/billing-journal.js';
import * as mails from '../mails/billing-mails.js';
import type { OpenInvoice } from '../provider/payment-provider.js';
import { BillingAccounts } from './billing-accounts.js';

/** A mail once the facts of its reader are known. */
type Writing = (facts: mails.MailFacts) => ReturnType<typeof mails.stopped>;

/** Tells customers what becomes of their slice: each thing once, and in the transaction in which it comes about. */
@Injectable()
export class Notices {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly journal: BillingJournal,
    private readonly mailer: Mailer,
    private readonly config: AppConfig,
    private readonly origins: AllowedOrigins,
  ) {}

  /** What time brings, before it brings it. */
  async ofTime(
    account: BillingAccount,
    timeline: Timeline,
    openInvoice: OpenInvoice | null,
    cause: string,
    nowMs: number,
  ): Promise<void> {
    const { noticeOfStopAt, stopsAt } = timeline;
    const payAt = openInvoice?.url ?? null;
    if (stopsAt !== null) {
      // Not by the invoice: which is the oldest that is open can change while the payment is missing.
      const about = `${account.subscriptionId}:${account.statusSince?.toISOString()}`;
      await this.once(account, 'payment_failed', about, cause, (facts) =>
        mails.paymentFailed(facts, payAt, nowMs < stopsAt ? stopsAt : null),
      );
      if (isWithin(nowMs, noticeOfStopAt, stopsAt))
        await this.once(account, 'notice_of_stop', about, cause, (facts) =>
          mails.stopsSoon(facts, payAt, stopsAt),
        );
    }
  }

  /** That the data will be removed, and when. */
  async ofComingRemoval(account: BillingAccount, removedAt: number, cause: string): Promise<void> {
    await this.once(account, 'notice_of_removal', new Date(removedAt).toISOString(), cause, (facts) =>
      mails.removedSoon(facts, removedAt),
    );
  }

  /** That a subscription was cancelled, and ends later. */
  async ofEnd(account: BillingAccount, hasData: boolean, cause: string): Promise<void> {
    const { cancelAt, subscriptionId, status } = account;
    if (cancelAt === null || (status !== 'active' && status !== 'trialing')) return;
    const about = `${subscriptionId}:${cancelAt.toISOString()}`;
    await this.once(account, 'notice_of_end', about, cause, (facts) =>
      mails.endsOn(facts, cancelAt, hasData ? this.config.slices.retentionMs : null),
    );
  }

  /** That the customer's bank wants to hear from them. */
  async ofAction(
    account: BillingAccount,
    invoiceId: string,
    payAt: string | null,
    cause: string,
  ): Promise<void> {
    await this.once(account, 'payment_action_required', invoiceId, cause, (facts) =>
      mails.paymentNeedsYou(facts, payAt),
    );
  }

  ofStop(userId: string, removedAt: number | null): Promise<void> {
    return this.mail(userId, (facts) => mails.stopped(facts, removedAt));
  }

  ofStart(userId: string): Promise<void> {
    return this.mail(userId, mails.startedAgain);
  }

  ofRemoval(userId: string): Promise<void> {
    return this.mail(userId, mails.removed);
  }

  /** For the operator: which of two to end, and what to give back, nobody here can know. */
  async ofSecond(account: BillingAccount, second: readonly string[], cause: string): Promise<void> {
    const { userId, subscriptionId } = account;
    if (subscriptionId === null) return;
    for (const id of second) {
      const both = [subscriptionId, id].toSorted();
      const key = `second_subscription:${both.join('+')}`;
      const detail = { counts: subscriptionId, beside: id };
      if (!(await this.journal.note({ userId, step: 'second_subscription', cause, key, detail }))) continue;
      const customer = await this.accounts.recipient(userId);
      await this.mailer.send(mails.paidTwice(this.config.admin.email, customer?.email ?? 'Somebody', both));
    }
  }

  /** For the operator: what the other one pays for counts for nothing here. */
  async ofSecondCustomer(userId: string, counts: string, beside: string, cause: string): Promise<void> {
    const key = `second_customer:${beside}`;
    const detail = { counts, beside };
    if (!(await this.journal.note({ userId, step: 'second_customer', cause, key, detail }))) return;
    const customer = await this.accounts.recipient(userId);
    await this.mailer.send(
      mails.thereTwice(this.config.admin.email, customer?.email ?? 'Somebody', counts, beside),
    );
  }

  /** For the operator, who has to answer the bank. */
  async ofDispute(disputeId: string, userId: string | null): Promise<void> {
    const customer = userId === null ? null : await this.accounts.recipient(userId);
    await this.mailer.send(
      mails.disputeOpened(this.config.admin.email, disputeId, customer?.email ?? 'Somebody'),
    );
  }

  private async once(
    { userId }: BillingAccount,
    step: BillingStepName,
    about: string,
    cause: string,
    write: Writing,
  ): Promise<void> {
    const isNews = await this.journal.note({ userId, step, cause, key: `${step}:${about}` });
    if (isNews) await this.mail(userId, write);
  }

  private async mail(userId: string, write: Writing): Promise<void> {
    const to = await this.accounts.recipient(userId);
    if (to === null) return;
    const account = this.config.http.appUrl ?? this.origins.ownOrigin;
    await this.mailer.send(write({ to, account }));
  }
}

function isWithin(nowMs: number, from: number | null, to: number): boolean {
  return from !== null && nowMs >= from && nowMs < to;
}
