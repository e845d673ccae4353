import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';

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
   * @returns its id; null when there was none
   */
  remove(ownerId: string): Promise<number | null> {
    return this.change(`desired_state = 'absent', stopped_by = NULL`, `desired_state <> 'absent'`, ownerId);
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
