import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { AppConfig } from '#config';
import { type SubscriptionStatus, Transactions } from '#database';
import { Consequences } from '../accounts/consequences.js';
import { SubscriptionUpdates } from '../accounts/subscription-updates.js';
import { entitlementOf } from '../entitlement/entitlement.js';
import { type BillingRules, rulesOf } from '../rules.js';
import { OneByOne } from './one-by-one.js';

interface Candidate {
  readonly userId: string;
  readonly running: boolean;
  readonly status: SubscriptionStatus;
  readonly pastDueSince: Date | null;
}

/**
 * Finds slices that run although their owner may not use them, and those that billing stopped although they may: after
 * a change of the rules, a slice that was given meanwhile, or a subscription before there was billing.
 */
@Injectable()
export class Sweep {
  private readonly rules: BillingRules;

  constructor(
    private readonly dataSource: DataSource,
    private readonly updates: SubscriptionUpdates,
    private readonly consequences: Consequences,
    private readonly customers: OneByOne,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    config: AppConfig,
  ) {
    this.rules = rulesOf(config);
  }

  /** @throws what the payment provider throws: before a slice is stopped, it is asked */
  async run(signal: AbortSignal): Promise<void> {
    const nowMs = this.clock.nowMs();
    for (const candidate of await this.candidates()) {
      if (signal.aborted) return;
      const { entitled } = entitlementOf(candidate, this.rules, nowMs);
      const { userId, running } = candidate;
      if (entitled !== running) await this.customers.run(userId, () => this.correct(userId));
    }
  }

  private async correct(userId: string): Promise<void> {
    if (this.rules.enabled) await this.updates.refresh(userId, { cause: 'sweep' });
    else await this.transactions.run(() => this.consequences.releaseSlice(userId));
  }

  /** Those that can be wrong: few, as long as most customers pay. */
  private candidates(): Promise<Candidate[]> {
    return this.dataSource.query(
      `SELECT s.owner_id AS "userId", s.desired_state = 'running' AS running,
              coalesce(a.status, 'none') AS status, a.past_due_since AS "pastDueSince"
         FROM slice s LEFT JOIN billing_account a ON a.user_id = s.owner_id
        WHERE s.destroyed_at IS NULL AND s.owner_id IS NOT NULL AND s.desired_state <> 'absent'
          AND (s.stopped_by = 'billing'
               OR $1::boolean AND s.desired_state = 'running'
                  AND coalesce(a.status, 'none') NOT IN ('active', 'trialing', CASE WHEN $2::boolean THEN '' ELSE 'none' END))`,
      [this.rules.enabled, this.rules.required],
    );
  }
}
