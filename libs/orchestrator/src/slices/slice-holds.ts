import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';

/** One that was registered as it ran has its data elsewhere, for somebody else to keep or remove. */
const IS_OURS = `desired_state <> 'absent' AND runtime <> 'external'`;

/**
 * What billing may desire of a customer's slice. Each call is part of the transaction under way, changes what is desired
 * once however often it is made, and leaves the rest to the reconciler, which hears of it when that is committed.
 */
@Injectable()
export class SliceHolds {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Stops the slice that runs. One that somebody else has stopped stays theirs to start.
   * @returns its id; null when there was none to stop
   */
  hold(ownerId: string): Promise<number | null> {
    return this.change(
      `desired_state = 'stopped', stopped_by = 'billing'`,
      `desired_state = 'running'`,
      ownerId,
    );
  }

  /**
   * Starts the slice that was stopped by {@link hold}, and only by that.
   * @returns its id; null when there was none to start
   */
  release(ownerId: string): Promise<number | null> {
    return this.change(
      `desired_state = 'running', stopped_by = NULL`,
      `desired_state = 'stopped' AND stopped_by = 'billing'`,
      ownerId,
    );
  }

  /**
   * Lets the slice go with its data.
   * @returns its id; null when there was none of ours
   */
  remove(ownerId: string): Promise<number | null> {
    return this.change(`desired_state = 'absent', stopped_by = NULL`, IS_OURS, ownerId);
  }

  /** Whether there is a slice with data for {@link remove}. */
  async hasData(ownerId: string): Promise<boolean> {
    const rows = await this.transactions.manager.query<unknown[]>(
      `SELECT FROM slice WHERE owner_id = $1 AND destroyed_at IS NULL AND ${IS_OURS}`,
      [ownerId],
    );
    return rows.length > 0;
  }

  /**
   * @param change what becomes of it
   * @param only which slices it is for
   */
  private async change(change: string, only: string, ownerId: string): Promise<number | null> {
    const [rows] = await this.transactions.manager.query<[Array<{ id: number }>, number]>(
      `UPDATE slice SET ${change}, generation = generation + 1, updated_at = now()
        WHERE owner_id = $1 AND destroyed_at IS NULL AND ${only}
       RETURNING id`,
      [ownerId],
    );
    return rows[0]?.id ?? null;
  }
}
