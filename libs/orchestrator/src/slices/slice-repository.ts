import { Injectable } from '@nestjs/common';
import { In, IsNull, type EntityManager, type UpdateQueryBuilder } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { Slice, Transactions, type DesiredState, type SliceStatus } from '#database';

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

/** What somebody may desire of a slice besides its end, which {@link SliceRepository.dismiss} is for. */
export type Wish = Pick<
  QueryDeepPartialEntity<Slice>,
  'name' | 'ownerId' | 'claimable' | 'image' | 'memoryBytes' | 'cpus' | 'envSealed'
> & { desiredState?: Exclude<DesiredState, 'absent'> };

/** That the slice is there, and is not to go. */
const IS_WANTED = `id = :id AND destroyed_at IS NULL AND desired_state <> 'absent'`;

/** Reads and writes slices. Tombstones are hidden from everything but {@link findAny}. */
@Injectable()
export class SliceRepository {
  constructor(private readonly transactions: Transactions) {}

  /** A live slice. */
  find(id: number, manager = this.transactions.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { id, destroyedAt: IsNull() });
  }

  /** Also a tombstone. */
  findAny(id: number, manager = this.transactions.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { id });
  }

  findByOwner(ownerId: string, manager = this.transactions.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { ownerId, destroyedAt: IsNull() });
  }

  findByOwners(ownerIds: readonly string[]): Promise<Slice[]> {
    return this.transactions.manager.findBy(Slice, { ownerId: In(ownerIds), destroyedAt: IsNull() });
  }

  findByName(name: string, manager = this.transactions.manager): Promise<Slice | null> {
    return manager.findOneBy(Slice, { name, destroyedAt: IsNull() });
  }

  /** Whether a live slice is there. */
  existsAt(host: string, port: number): Promise<boolean> {
    return this.transactions.manager.existsBy(Slice, { host, port, destroyedAt: IsNull() });
  }

  /** Every live slice, oldest first. */
  all(): Promise<Slice[]> {
    return this.transactions.manager.find(Slice, { where: { destroyedAt: IsNull() }, order: { id: 'ASC' } });
  }

  /**
   * For a customer to come, and meant to run. The failed ones count: an image that does not start must not be tried with ever
   * more slices.
   */
  countUnclaimed(): Promise<number> {
    return this.transactions.manager.countBy(Slice, {
      destroyedAt: IsNull(),
      claimable: true,
      desiredState: 'running',
    });
  }

  countLive(): Promise<number> {
    return this.transactions.manager.countBy(Slice, { destroyedAt: IsNull() });
  }

  async insert(slice: QueryDeepPartialEntity<Slice>, manager: EntityManager): Promise<Slice> {
    const { identifiers } = await manager.insert(Slice, slice);
    return manager.findOneByOrFail(Slice, { id: Number(identifiers[0]?.['id']) });
  }

  /**
   * Changes what is desired, and with it the generation: whoever is reconciling an older one starts again. What is to
   * go never comes back: its data may be gone already.
   * @returns false when the slice is not there (any more), or is to go
   */
  async desire(id: number, change: Wish): Promise<boolean> {
    // Whoever says what is to become of it takes it over from billing, which may have stopped it.
    const takenOver = change.desiredState === undefined ? {} : { stoppedBy: null };
    const { affected } = await this.update({ ...change, ...takenOver })
      .where(IS_WANTED, { id })
      .execute();
    return affected === 1;
  }

  /**
   * Changes what nobody has to bring about, so that the slice stays as it is.
   * @returns false when the slice is not there (any more), or is to go
   */
  async amend(id: number, change: Pick<Wish, 'name' | 'ownerId' | 'claimable'>): Promise<boolean> {
    const { affected } = await this.transactions.manager
      .createQueryBuilder()
      .update(Slice)
      .set(change)
      .where(IS_WANTED, { id })
      .execute();
    return affected === 1;
  }

  /**
   * Lets the slice go, unless a customer has it: looked at and done at once, so that a customer who is given the slice
   * in this very moment does not lose it again.
   * @param force also when a customer has it
   * @returns false when a customer has it, or it is not there (any more)
   */
  async dismiss(id: number, force: boolean): Promise<boolean> {
    const { affected } = await this.update({ desiredState: 'absent' })
      .where(IS_WANTED, { id })
      .andWhere('(owner_id IS NULL OR :force)', { force })
      .execute();
    return affected === 1;
  }

  /**
   * Lets a slice go that never ran, if still nothing else is desired of it.
   * @returns false when it runs by now, or something else is desired
   */
  async withdraw(id: number, generation: number): Promise<boolean> {
    const { affected } = await this.update({ desiredState: 'absent' })
      .where('id = :id AND generation = :generation AND last_healthy_at IS NULL', { id, generation })
      .execute();
    return affected === 1;
  }

  /**
   * Writes what was seen while bringing about `generation`.
   * @returns false when something newer is desired by now: what was seen is of no use any more
   */
  async observe(
    id: number,
    generation: number,
    seen: Observation,
    manager = this.transactions.manager,
  ): Promise<boolean> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(Slice)
      .set(seen)
      .where('id = :id AND generation = :generation', { id, generation })
      .execute();
    return affected === 1;
  }

  /**
   * Notes how a slice is that somebody else runs.
   * @returns false when that is no news, or the slice is not there (any more)
   */
  async tell(id: number, status: SliceStatus): Promise<boolean> {
    const desiredState = status === 'stopped' ? 'stopped' : 'running';
    const { affected } = await this.transactions.manager
      .createQueryBuilder()
      .update(Slice)
      .set({
        status,
        desiredState,
        generation: () => 'generation + 1',
        observedGeneration: () => 'generation + 1',
      })
      .where(IS_WANTED, { id })
      .andWhere(`runtime = 'external'`)
      .andWhere('(status <> :status OR desired_state <> :desiredState)', { status, desiredState })
      .execute();
    return affected === 1;
  }

  /** Gives a ready slice that never was anybody's to the user; two sign-ups at once get two slices. */
  async claim(ownerId: string, manager = this.transactions.manager): Promise<Slice | null> {
    const [rows] = await manager.query<[Array<{ id: number }>, number]>(
      `UPDATE slice SET owner_id = $1, claimable = false, updated_at = now() WHERE id = (
         SELECT id FROM slice
          WHERE claimable AND destroyed_at IS NULL AND desired_state = 'running' AND status = 'active'
          ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [ownerId],
    );
    const [claimed] = rows;
    return claimed === undefined ? null : this.find(claimed.id, manager);
  }

  private update(wish: QueryDeepPartialEntity<Slice>): UpdateQueryBuilder<Slice> {
    return this.transactions.manager
      .createQueryBuilder()
      .update(Slice)
      .set({ ...wish, generation: () => 'generation + 1' });
  }
}
