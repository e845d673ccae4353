import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type EntityManager, IsNull } from 'typeorm';
import { isForeignKeyViolation, Pool, PoolBackend, Transactions } from '#database';
import type { StoredPool } from './pool-definitions.js';

/** The channel of PostgreSQL's NOTIFY; the triggers of both tables write to it. */
export const POOL_CHANGED = 'pool_changed';

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

  /** @returns whether there was one */
  async deletePool(name: string): Promise<boolean> {
    return deleted(await this.transactions.manager.delete(Pool, { name }));
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

  /** @returns whether there was one */
  async removeBackend(pool: string, which: { id: string } | { url: string }): Promise<boolean> {
    return deleted(await this.transactions.manager.delete(PoolBackend, { pool, ...which }));
  }
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

function deleted({ affected }: { affected?: number | null }): boolean {
  return (affected ?? 0) > 0;
}
