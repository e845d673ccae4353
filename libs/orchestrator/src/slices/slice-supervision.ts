import { Injectable } from '@nestjs/common';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { Slice, Transactions } from '#database';
import { SliceReach } from './slice-reach.js';

/** What of a slice is looked at by whoever watches over it. */
export type WatchedSlice = Readonly<
  Pick<
    Slice,
    | 'id'
    | 'name'
    | 'runtime'
    | 'generation'
    | 'observedGeneration'
    | 'desiredState'
    | 'status'
    | 'host'
    | 'port'
    | 'lastError'
    | 'lastErrorCode'
    | 'lastHealthyAt'
    | 'databasePasswordSealed'
  >
>;

/** Rows as they are: entities of a thousand slices held the event loop up for 90 ms. */
const WATCHED = `
  SELECT id, name, runtime, generation, observed_generation AS "observedGeneration", desired_state AS "desiredState", status,
         host, port, last_error AS "lastError", last_error_code AS "lastErrorCode",
         last_healthy_at AS "lastHealthyAt", database_password_sealed AS "databasePasswordSealed"
    FROM slice WHERE destroyed_at IS NULL ORDER BY id`;

/**
 * What whoever watches over slices may do to them. It only says what is desired, or what was seen; bringing it about
 * stays the reconciler's. Each call names the generation it was decided for, and does nothing when another is desired
 * by now: what somebody stopped or changed meanwhile is not touched. Within a transaction of {@link Transactions} it is
 * part of that.
 */
@Injectable()
export class SliceSupervision {
  constructor(
    private readonly reach: SliceReach,
    private readonly transactions: Transactions,
  ) {}

  /** Every live slice, oldest first. */
  all(): Promise<WatchedSlice[]> {
    return this.transactions.manager.query<WatchedSlice[]>(WATCHED);
  }

  /** Sees to it that this process reaches the slice, where slices have networks of their own. */
  ensureReach({ id, generation }: WatchedSlice): Promise<void> {
    return this.reach.ensure(id, generation);
  }

  /**
   * Has a running slice stopped and started.
   * @returns the new generation; null when it is not to run any more, or something else is desired of it
   */
  async restart(slice: WatchedSlice): Promise<number | null> {
    const anew = { generation: () => 'generation + 1' };
    const { affected } = await this.update(anew, slice, `desired_state = 'running'`);
    return affected === 1 ? slice.generation + 1 : null;
  }

  /**
   * An active slice is `failed` from now on, for this reason, though its app runs: nobody restarts it any more.
   * @returns whether it is
   */
  async giveUp(slice: WatchedSlice, reason: string): Promise<boolean> {
    const { affected } = await this.update(
      { status: 'failed', lastError: reason, lastErrorCode: 'SLICE_UNHEALTHY' },
      slice,
      `desired_state = 'running' AND status = 'active'`,
    );
    return affected === 1;
  }

  /**
   * A slice that was given up answers again: it is `active`.
   * @returns whether it is
   */
  async recovered(slice: WatchedSlice): Promise<boolean> {
    const { affected } = await this.update(
      { status: 'active', lastError: null, lastErrorCode: null },
      slice,
      `desired_state = 'running' AND status = 'failed' AND last_error_code = 'SLICE_UNHEALTHY'`,
    );
    return affected === 1;
  }

  /** These were well at this time. */
  async healthy(ids: readonly number[], at: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.transactions.manager.query(
      `UPDATE slice SET last_healthy_at = $2 WHERE id = ANY($1) AND status = 'active'`,
      [ids, at],
    );
  }

  /** Changes the slice, if still nothing else is desired of it. */
  private update(change: QueryDeepPartialEntity<Slice>, { id, generation }: WatchedSlice, condition: string) {
    return this.transactions.manager
      .createQueryBuilder()
      .update(Slice)
      .set(change)
      .where('id = :id AND generation = :generation AND destroyed_at IS NULL', { id, generation })
      .andWhere(condition)
      .execute();
  }
}
