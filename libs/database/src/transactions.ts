import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { controlUnavailable } from './control/control-unavailable.js';

/**
 * Transactions that a port can join whose caller knows nothing of the database: what is called within {@link run}
 * finds the transaction in its asynchronous context, not in a parameter.
 */
@Injectable()
export class Transactions {
  private readonly current = new AsyncLocalStorage<EntityManager>();

  constructor(private readonly dataSource: DataSource) {}

  /** Runs the work in one transaction: committed when it resolves, undone when it throws. Within another, part of it. */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const joined = this.current.getStore();
    if (joined !== undefined) return work(joined);
    try {
      return await this.dataSource.transaction((manager) => this.current.run(manager, () => work(manager)));
    } catch (error) {
      // Within the transaction its connection is given back for one reason: it was lost between two statements.
      if (error instanceof QueryRunnerAlreadyReleasedError) throw controlUnavailable(error);
      throw error;
    }
  }

  /** Of the transaction under way; outside of one, each statement is its own. */
  get manager(): EntityManager {
    return this.current.getStore() ?? this.dataSource.manager;
  }
}
