import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

interface Current {
  readonly manager: EntityManager;
  readonly onceCommitted: (() => void)[];
}

/**
 * Transactions that a port can join whose caller knows nothing of the database: what is called within {@link run}
 * finds the transaction in its asynchronous context, not in a parameter.
 */
@Injectable()
export class Transactions {
  private readonly current = new AsyncLocalStorage<Current>();

  constructor(private readonly dataSource: DataSource) {}

  /** Runs the work in one transaction: committed when it resolves, undone when it throws. Within another, part of it. */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const joined = this.current.getStore();
    if (joined !== undefined) return work(joined.manager);
    const onceCommitted: (() => void)[] = [];
    const result = await this.dataSource.transaction((manager) =>
      this.current.run({ manager, onceCommitted }, () => work(manager)),
    );
    for (const then of onceCommitted) then();
    return result;
  }

  /** Does something once the transaction under way is committed, and never when it is undone; outside of one, at once. */
  onceCommitted(then: () => void): void {
    const joined = this.current.getStore();
    if (joined === undefined) then();
    else joined.onceCommitted.push(then);
  }

  /** Of the transaction under way; outside of one, each statement is its own. */
  get manager(): EntityManager {
    return this.current.getStore()?.manager ?? this.dataSource.manager;
  }
}
