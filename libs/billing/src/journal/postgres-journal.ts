import { Injectable, Logger } from '@nestjs/common';
import { AuditLog, Clock } from '#common';
import { BillingStep, Transactions } from '#database';
import { BillingJournal, type JournalEntry } from './billing-journal.js';

/** The trail in a table of its own, in the audit, and in the log. */
@Injectable()
export class PostgresJournal extends BillingJournal {
  private readonly logger = new Logger('Billing');

  constructor(
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async note({ userId, step, cause, key, detail = {} }: JournalEntry): Promise<boolean> {
    const { raw } = await this.transactions.manager
      .createQueryBuilder()
      .insert()
      .into(BillingStep)
      .values({ userId, step, cause, key: key ?? null, detail, at: this.clock.now() })
      .orIgnore()
      .returning('id')
      .execute();
    const isNew = Array.isArray(raw) && raw.length > 0;
    if (!isNew) return false;
    // In the same transaction: whoever reads the audit sees what billing did among what people did.
    const target = { kind: 'user', id: userId ?? 'unknown' };
    await this.audit.record({ action: `billing.${step}`, target, after: { cause, ...detail } });
    this.transactions.onceCommitted(() =>
      this.logger.log({ userId, step, cause, ...detail }, `${step}, customer ${userId ?? 'unknown'}`),
    );
    return true;
  }
}
