import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull, type EntityManager } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { Slice, type DesiredState } from '#database';

/** What the reconciler may write: everything but what is desired. */
export type Observation = Pick<
  QueryDeepPartialEntity<Slice>,
  | 'status'
  | 'host'
  | 'port'
  | 'lastError'
  | 'lastErrorCode'
  | 'lastHealthyAt'
  | 'observedGeneration'
  | 'databasePasswordSealed'
  | 'envSealed'
  | 'destroyedAt'
>;

/** Reads and writes slices. Tombstones are hidden from everything but {@link findAny}. */
@Injectable()
export class SliceRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** A live slice. */
  find(id: number, manager = this.dataSource.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { id, destroyedAt: IsNull() });
  }

  /** Also a tombstone. */
  findAny(id: number, manager = this.dataSource.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { id });
  }

  findByOwner(ownerId: string, manager = this.dataSource.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { ownerId, destroyedAt: IsNull() });
  }

  findByName(name: string, manager = this.dataSource.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { name, destroyedAt: IsNull() });
  }

  /** Every live slice, oldest first. */
  all(): Promise<Slice[]> {
    return this.dataSource.manager.find(Slice, { where: { destroyedAt: IsNull() }, order: { id: 'ASC' } });
  }

  /**
   * Nobody's yet, and meant to run. The failed ones count: an image that does not start must not be tried with ever
   * more slices.
   */
  countUnclaimed(): Promise<number> {
    return this.dataSource.manager.countBy(Slice, {
      destroyedAt: IsNull(),
      ownerId: IsNull(),
      desiredState: 'running',
    });
  }

  countLive(): Promise<number> {
    return this.dataSource.manager.countBy(Slice, { destroyedAt: IsNull() });
  }

  async insert(slice: QueryDeepPartialEntity<Slice>, manager: EntityManager): Promise<Slice> {
    const { identifiers } = await manager.insert(Slice, slice);
    return manager.findOneByOrFail(Slice, { id: Number(identifiers[0]?.['id']) });
  }

  /**
   * Changes what is desired, and with it the generation: whoever is reconciling an older one starts again.
   * @returns the slice, or null when it is not there (any more)
   */
  async desire(
    id: number,
    desiredState: DesiredState,
    change: QueryDeepPartialEntity<Slice> = {},
    manager = this.dataSource.manager,
  ): Promise<Slice | null> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(Slice)
      .set({ ...change, desiredState, generation: () => 'generation + 1' })
      .where('id = :id AND destroyed_at IS NULL', { id })
      // What is to go never comes back: its data may be gone already.
      .andWhere(`(desired_state <> 'absent' OR CAST(:desiredState AS text) = 'absent')`, { desiredState })
      .execute();
    return affected === 0 ? null : this.find(id, manager);
  }

  /**
   * Writes what was seen while bringing about `generation`.
   * @returns false when something newer is desired by now: what was seen is of no use any more
   */
  async observe(
    id: number,
    generation: number,
    seen: Observation,
    manager = this.dataSource.manager,
  ): Promise<boolean> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(Slice)
      .set(seen)
      .where('id = :id AND generation = :generation', { id, generation })
      .execute();
    return affected === 1;
  }

  /** Active ones that were found not to run are no longer called active. */
  async markStarting(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.dataSource.manager.update(
      Slice,
      { id: In([...ids]), status: 'active' },
      { status: 'provisioning' },
    );
  }

  /** Gives a ready slice that nobody owns to the user; two sign-ups at once get two slices. */
  async claim(ownerId: string, manager = this.dataSource.manager): Promise<Slice | null> {
    const [rows] = await manager.query<[Array<{ id: number }>, number]>(
      `UPDATE slice SET owner_id = $1, updated_at = now() WHERE id = (
         SELECT id FROM slice
          WHERE owner_id IS NULL AND destroyed_at IS NULL AND desired_state = 'running' AND status = 'active'
          ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [ownerId],
    );
    const [claimed] = rows;
    return claimed === undefined ? null : this.find(claimed.id, manager);
  }
}
