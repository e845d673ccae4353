import { Client, type ClientConfig } from 'pg';

/**
 * A client of the pool that can be lost at any moment. From the end of its connecting until TypeORM listens to it,
 * nobody does: a server that ends the session in that very moment (its greeting and its farewell come in one packet)
 * would end the process by an `error` event without a listener. Nothing is swallowed by this one: whoever uses the
 * client then is told by the rejection of the query, and the pool drops it.
 */
export class PooledClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
