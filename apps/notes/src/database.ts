import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError, Pool, type ClientConfig, type QueryResultRow } from 'pg';
import { HttpError } from './http/http-error.ts';
import { log } from './log.ts';
import { migrate } from './migrations.ts';

/** Below the ten connections a tenant's role commonly gets, so that a backup or a console still finds room. */
const POOL_SIZE = 5;
/** For a connection, and for each query: past it the database counts as unavailable. */
const PATIENCE_MS = 5_000;
const RETRY_MS = { first: 50, longest: 2_000 };
/**
 * SQLSTATE classes and codes that say the server or our access to it is the trouble, not the query: connection
 * exception, invalid authorisation, unknown database, too many connections, shutdown or start-up.
 */
const UNAVAILABLE = /^(08|28|3D|53|57P)/;

/** The app's PostgreSQL: a small pool that outlives restarts of the server. */
export class Database {
  readonly #config: ClientConfig;
  readonly #pool: Pool;
  readonly #closing = new AbortController();
  #migrated = false;

  constructor(access: ClientConfig) {
    this.#config = { ...access, connectionTimeoutMillis: PATIENCE_MS, application_name: 'notes' };
    this.#pool = new Pool({ ...this.#config, max: POOL_SIZE, query_timeout: PATIENCE_MS });
    // An idle connection that breaks is reported here; the pool has already dropped it and will open another.
    this.#pool.on('error', (error) => log('warn', 'database.connection-lost', { error: error.message }));
  }

  /**
   * Brings the schema up to date, waiting for a server that is not there yet. Until then every query is refused as
   * unavailable.
   *
   * @throws the error of a migration that PostgreSQL refused
   */
  async open(): Promise<void> {
    for (
      let wait = RETRY_MS.first;
      !this.#closing.signal.aborted;
      wait = Math.min(wait * 2, RETRY_MS.longest)
    ) {
      try {
        const applied = await migrate(this.#config);
        this.#migrated = true;
        log('info', 'database.ready', { applied });
        return;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        log('warn', 'database.unavailable', {
          retryMs: wait,
          error: error instanceof Error ? error.message : error,
        });
        await delay(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Runs one statement and gives its rows.
   *
   * @throws HttpError 503 `DATABASE_UNAVAILABLE` when the server cannot be reached or is not migrated yet
   */
  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (!this.#migrated) throw unavailable();
    try {
      const { rows } = await this.#pool.query<Row>(sql, [...values]);
      return rows;
    } catch (error) {
      throw isUnavailable(error) ? unavailable(error) : error;
    }
  }

  /** Lets running queries finish and closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#pool.end();
  }
}

function unavailable(cause?: unknown): HttpError {
  return new HttpError(503, 'DATABASE_UNAVAILABLE', 'The database cannot be reached', { cause });
}

/** Whatever is not PostgreSQL's own verdict on a statement came from the connection: refused, reset, timed out. */
function isUnavailable(error: unknown): boolean {
  return !(error instanceof DatabaseError) || UNAVAILABLE.test(error.code ?? '');
}
