import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/**
 * Transactions that a port can join whose caller knows nothing of the database: what is called within {@link run}
 * finds the transaction in its asynchronous context, not in a parameter.
 */
@Injectable()
export class Transactions {
  private readonly current = new AsyncLocalStorage<EntityManager>();

  constructor(private readonly dataSource: DataSource) {}

  /** Runs the work in one transaction: committed when it resolves, undone when it throws. Within another, part of it. */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const joined = this.current.getStore();
    if (joined !== undefined) return work(joined);
    return this.dataSource.transaction((manager) => this.current.run(manager, () => work(manager)));
  }

  /** Of the transaction under way; outside of one, each statement is its own. */
  get manager(): EntityManager {
    return this.current.getStore() ?? this.dataSource.manager;
  }
}
