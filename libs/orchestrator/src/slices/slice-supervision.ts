import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { Slice } from '#database';
import { SliceReach } from './slice-reach.js';
import { SliceRepository } from './slice-repository.js';

/**
 * What whoever watches over slices may do to them. It only says what is desired, or what was seen; bringing it about
 * stays the reconciler's. Each call names the generation it was decided for, and does nothing when another is desired
 * by now: what somebody stopped or changed meanwhile is not touched.
 */
@Injectable()
export class SliceSupervision {
  constructor(
    private readonly slices: SliceRepository,
    private readonly reach: SliceReach,
    private readonly dataSource: DataSource,
  ) {}

  /** Every live slice, oldest first. */
  all(): Promise<Slice[]> {
    return this.slices.all();
  }

  /** Sees to it that this process reaches the slice, where slices have networks of their own. */
  ensureReach({ id, generation }: Slice): Promise<void> {
    return this.reach.ensure(id, generation);
  }

  /**
   * Has a running slice stopped and started.
   * @returns the new generation; null when it is not to run any more, or something else is desired of it
   */
  async restart(slice: Slice): Promise<number | null> {
    const anew = { generation: () => 'generation + 1' };
    const { affected } = await this.update(anew, slice, `desired_state = 'running'`);
    return affected === 1 ? slice.generation + 1 : null;
  }

  /**
   * An active slice is `failed` from now on, for this reason, though its app runs: nobody restarts it any more.
   * @returns whether it is
   */
  async giveUp(slice: Slice, reason: string): Promise<boolean> {
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
  async recovered(slice: Slice): Promise<boolean> {
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
    await this.dataSource.query(
      `UPDATE slice SET last_healthy_at = $2 WHERE id = ANY($1) AND status = 'active'`,
      [ids, at],
    );
  }

  /** Changes the slice, if still nothing else is desired of it. */
  private update(change: QueryDeepPartialEntity<Slice>, { id, generation }: Slice, condition: string) {
    return this.dataSource
      .createQueryBuilder()
      .update(Slice)
      .set(change)
      .where('id = :id AND generation = :generation AND destroyed_at IS NULL', { id, generation })
      .andWhere(condition)
      .execute();
  }
}
