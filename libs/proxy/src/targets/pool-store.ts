import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type EntityManager, IsNull } from 'typeorm';
import { isForeignKeyViolation, Pool, PoolBackend, Transactions } from '#database';
import type { StoredPool } from './pool-definitions.js';

/** The channel of PostgreSQL's NOTIFY; the triggers of both tables write to it. */
export const POOL_CHANGED = 'pool_changed';

/** What a pool was that is no more. */
export interface RemovedPool {
  readonly healthPath: string | null;
  readonly urls: readonly string[];
}

/** A backend that is no more. */
export type RemovedBackend = Pick<PoolBackend, 'id' | 'url'>;

/** The pools and backends that were registered while the gateway ran. */
@Injectable()
export class PoolStore {
  constructor(private readonly transactions: Transactions) {}

  /** The oldest backends first. */
  async all(): Promise<StoredPool[]> {
    // What comes in between the two is told of by a message of its own.
    const { manager } = this.transactions;
    const backends = await manager.find(PoolBackend, { order: { createdAt: 'ASC', id: 'ASC' } });
    const pools = await manager.find(Pool);
    const byPool = Map.groupBy(backends, ({ pool }) => pool);
    return pools.map(({ name, healthPath }) => ({ name, healthPath, backends: byPool.get(name) ?? [] }));
  }

  /** @returns whether it is new */
  async createPool(name: string, healthPath: string): Promise<boolean> {
    return insertPool(this.transactions.manager, name, healthPath);
  }

  /**
   * Gives a pool that has none its health path.
   * @returns whether it has this one now
   */
  async settleHealthPath(name: string, healthPath: string): Promise<boolean> {
    const { manager } = this.transactions;
    await manager.update(Pool, { name, healthPath: IsNull() }, { healthPath });
    return manager.existsBy(Pool, { name, healthPath });
  }

  /** @returns what there was; null where there was none */
  deletePool(name: string): Promise<RemovedPool | null> {
    return this.transactions.run(async (manager) => {
      // Locked, so that no backend comes in between, which would go with the pool and be in no answer.
      const pool = await manager.findOne(Pool, { where: { name }, lock: { mode: 'pessimistic_write' } });
      if (pool === null) return null;
      const backends = await deleteBackends(manager, { pool: name });
      await manager.delete(Pool, { name });
      return { healthPath: pool.healthPath, urls: backends.map(({ url }) => url).toSorted() };
    });
  }

  /**
   * @param options.making whether the pool comes to be by this; else it has to be there
   * @returns whether it is new; null where there is no such pool
   */
  async addBackend(pool: string, url: string, { making }: { making: boolean }): Promise<boolean | null> {
    try {
      return await this.transactions.run(async (manager) => {
        if (making) await insertPool(manager, pool, null);
        const result = await manager
          .createQueryBuilder()
          .insert()
          .into(PoolBackend)
          .values({ id: randomUUID(), pool, url })
          .orIgnore()
          .returning('id')
          .execute();
        return hasRow(result.raw);
      });
    } catch (error) {
      if (isForeignKeyViolation(error)) return null;
      throw error;
    }
  }

  /** @returns what there was; null where there was none */
  async removeBackend(pool: string, which: { id: string } | { url: string }): Promise<RemovedBackend | null> {
    const [removed] = await deleteBackends(this.transactions.manager, { pool, ...which });
    return removed ?? null;
  }
}

/** Each as the statement that deleted it found it: a look before could be of another one. */
async function deleteBackends(
  manager: EntityManager,
  which: { pool: string; id?: string; url?: string },
): Promise<RemovedBackend[]> {
  const { raw }: { raw: RemovedBackend[] } = await manager
    .createQueryBuilder()
    .delete()
    .from(PoolBackend)
    .where(which)
    .returning(['id', 'url'])
    .execute();
  return raw;
}

async function insertPool(manager: EntityManager, name: string, healthPath: string | null): Promise<boolean> {
  const result = await manager
    .createQueryBuilder()
    .insert()
    .into(Pool)
    .values({ name, healthPath })
    .orIgnore()
    .returning('name')
    .execute();
  return hasRow(result.raw);
}

/** What RETURNING gave: nothing where the row was there already. */
function hasRow(raw: unknown): boolean {
  return Array.isArray(raw) && raw.length > 0;
}
