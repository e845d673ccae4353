import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { AppConfig } from '#config';

/** As with customers who wait: not with every change of a slice. */
const EVERY_MS = 60_000;

/**
 * Ends what is left of customers who deleted their account, `SLICE_RETENTION_DAYS` later: first the slice with its data,
 * then, when that is gone, the account itself.
 */
@Injectable()
export class DepartedCustomers {
  private lookedAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** Called by the one replica that runs the loop, which then destroys the slices that are to go. */
  async clear(): Promise<void> {
    const now = this.clock.nowMs();
    if (Math.abs(now - this.lookedAt) < EVERY_MS) return;
    this.lookedAt = now;
    const before = new Date(now - this.config.slices.retentionMs);
    await this.dataSource.query(
      `UPDATE slice SET desired_state = 'absent', generation = generation + 1
        WHERE destroyed_at IS NULL AND desired_state <> 'absent'
          AND owner_id IN (SELECT id FROM "user" WHERE deleted_at < $1)`,
      [before],
    );
    await this.dataSource.transaction(async (manager) => {
      const gone = `SELECT id FROM "user" u WHERE deleted_at < $1
         AND NOT EXISTS (SELECT FROM slice s WHERE s.owner_id = u.id AND s.destroyed_at IS NULL)
         -- As long as there is a customer at Stripe, or may be one whose making broke off, somebody has to know whom to
         -- let go there.
         AND NOT EXISTS (SELECT FROM billing_account a WHERE a.user_id = u.id
                          AND (a.customer_id IS NOT NULL OR a.customer_email IS NOT NULL))`;
      // A tombstone is nobody's any more.
      await manager.query(`UPDATE slice SET owner_id = NULL WHERE owner_id IN (${gone})`, [before]);
      await manager.query(`DELETE FROM "user" WHERE id IN (${gone})`, [before]);
    });
  }
}
