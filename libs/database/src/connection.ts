import type { DatabaseConfig } from '#config';
import type { Connection } from './data-source-options.js';

/**
 * The connection of a configured database.
 * @throws Error for the embedded one: it has no address before it runs.
 */
export function connectionOf(config: DatabaseConfig): Connection {
  if (config.kind === 'embedded')
    throw new Error('Set DATABASE_URL: the embedded PostgreSQL has no address of its own.');
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.name,
    ssl: config.tls,
  };
}
