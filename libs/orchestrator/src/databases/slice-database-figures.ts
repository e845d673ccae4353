import { Injectable } from '@nestjs/common';
import { Client, type QueryConfig } from 'pg';
import { DataSource } from 'typeorm';
import { errorCode } from '#common';
import { DatabaseServer, type Slice } from '#database';
import { SliceSecrets } from '../slices/slice-secrets.js';
import { databaseName } from './postgres-slice-database.js';

/** How much of the server a slice's database takes up. */
export interface SliceDatabaseUsage {
  readonly bytes: number | null;
  readonly connections: number;
}

/** The database server, and what each slice has of it. */
export interface DatabaseFigures {
  /** Sizes are missing where there was no time left for them: the next look goes on from there. */
  readonly slices: ReadonlyMap<number, SliceDatabaseUsage>;
  /** Everybody's. */
  readonly connections: number;
  readonly maxConnections: number;
}

/** What the app's own figures came to, by their names, and why the others did not. */
export interface AppFigures {
  readonly values: Readonly<Record<string, number>>;
  /** SQLSTATE or the like, no message: that may quote a customer's data. */
  readonly faults: Readonly<Record<string, string>>;
}

interface DatabaseRow {
  readonly name: string;
  readonly connections: number;
  /** It is a slice's, and its size may be looked at. */
  readonly isOpen: boolean;
  readonly maxConnections: number;
}

/** A slice that revokes our right to connect to its database must not blind us for all the others. */
const DATABASES = `
  SELECT d.datname AS name, coalesce(s.numbackends, 0) AS connections,
         has_database_privilege(d.oid, 'CONNECT') AND d.datname ~ '^slice_[0-9]+$' AS "isOpen",
         current_setting('max_connections')::int AS "maxConnections"
    FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid ORDER BY d.oid`;

/** One that is dropped or closed meanwhile has no size. */
const SIZES = `
  SELECT datname AS name, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS bytes
    FROM pg_database WHERE datname = ANY($1)`;

/** So many databases in one query: enough that a thousand are no thousand questions, and few enough to stop in between. */
const SIZES_AT_ONCE = 20;

/** Contract §5. */
const STATEMENT_TIMEOUT_MS = 2000;
/** For a server that does not keep to it. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 1000;

/** The owner of a database chooses what sessions in it begin with; those of the connection come before that. */
const SESSION_OPTIONS = [
  'default_transaction_read_only=on',
  `statement_timeout=${STATEMENT_TIMEOUT_MS}`,
  'lock_timeout=1000',
  'idle_session_timeout=10000',
  'client_connection_check_interval=1000',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** Looks into the databases of slices, and changes nothing there. */
@Injectable()
export class SliceDatabaseFigures {
  /** The last database whose size was asked for. */
  private lastAsked: string | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly server: DatabaseServer,
    private readonly secrets: SliceSecrets,
  ) {}

  /**
   * What of the server each slice takes up. Sizes are read in batches, since PostgreSQL looks at every file for them.
   * @param signal ends it early, with the sizes that are known by then
   * @throws QueryFailedError
   * @throws DOMException when not even the connections were known in time
   */
  async usage(signal: AbortSignal): Promise<DatabaseFigures> {
    const rows = await unlessAborted(signal, this.dataSource.query<DatabaseRow[]>(DATABASES));
    const slices = new Map<number, SliceDatabaseUsage>();
    for (const { name, connections } of rows) {
      const id = sliceIdIn(name);
      if (id !== null) slices.set(id, { bytes: null, connections });
    }
    for (const [id, bytes] of await this.sizes(rows, signal)) {
      const connections = slices.get(id)?.connections ?? 0;
      slices.set(id, { bytes, connections });
    }
    const connections = rows.reduce((sum, row) => sum + row.connections, 0);
    return { slices, connections, maxConnections: rows[0]?.maxConnections ?? 0 };
  }

  private async sizes(rows: readonly DatabaseRow[], signal: AbortSignal): Promise<Map<number, number>> {
    const sizes = new Map<number, number>();
    const names = rows.filter(({ isOpen }) => isOpen).map(({ name }) => name);
    // After the one where the time was over: what is slow there must not be in the way of the others each time.
    const begin = this.lastAsked === null ? 0 : names.indexOf(this.lastAsked) + 1;
    const inTurn = [...names.slice(begin), ...names.slice(0, begin)];
    for (let i = 0; i < inTurn.length && !signal.aborted; i += SIZES_AT_ONCE) {
      const batch = inTurn.slice(i, i + SIZES_AT_ONCE);
      this.lastAsked = batch.at(-1) ?? null;
      const asked = this.dataSource.query<Array<{ name: string; bytes: string | null }>>(SIZES, [batch]);
      const found = await unlessAborted(signal, asked).catch((error: unknown) => {
        if (!signal.aborted) throw error;
        return [];
      });
      for (const { name, bytes } of found) {
        const id = sliceIdIn(name);
        if (id !== null && bytes !== null) sizes.set(id, Number(bytes));
      }
    }
    return sizes;
  }

  /**
   * Asks a slice's own database, as its own role: each query gives a number in the first column of its first row. One
   * that fails takes none of the others with it.
   * @param signal ends it early
   * @throws Error when the password was sealed under another key
   */
  async ofApp(
    slice: Pick<Slice, 'id' | 'databasePasswordSealed'>,
    queries: ReadonlyArray<{ readonly name: string; readonly sql: string }>,
    signal: AbortSignal,
  ): Promise<AppFigures> {
    const values: Record<string, number> = {};
    const faults: Record<string, string> = {};
    const password = this.secrets.openDatabasePassword(slice);
    if (queries.length === 0 || password === null || signal.aborted) return { values, faults };
    const client = this.clientFor(slice.id, password);
    const asking = (async () => {
      await client.connect();
      for (const { name, sql } of queries) {
        const value = await numberFrom(client, sql).catch((error: unknown) => faultOf(error));
        if (typeof value === 'number') values[name] = value;
        else faults[name] = value;
      }
    })();
    try {
      await unlessAborted(signal, asking);
    } catch (error) {
      for (const { name } of queries) if (values[name] === undefined) faults[name] ??= faultOf(error);
    }
    // Nobody waits for it: a client that is ended while it connects never says that it is.
    void client.end().catch(() => undefined);
    return { values: { ...values }, faults: { ...faults } };
  }

  private clientFor(sliceId: number, password: string): Client {
    const name = databaseName(sliceId);
    const client = new Client({
      ...this.server.connection,
      database: name,
      user: name,
      password,
      options: SESSION_OPTIONS,
      application_name: 'sluice-figures',
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    client.on('error', () => undefined); // the query that waits is rejected, too
    return client;
  }
}

/**
 * One row of one number, however many the app's own functions and views would give: they are a customer's to change,
 * and the gateway's memory is not.
 */
async function numberFrom(client: Client, sql: string): Promise<number | string> {
  const query = `SELECT figure::double precision AS figure FROM (${sql.replace(/[\s;]+$/, '')}\n) AS result (figure) LIMIT 1`;
  // The extended protocol takes a single statement.
  const statement: QueryConfig & { queryMode: 'extended' } = { text: query, queryMode: 'extended' };
  const { rows } = await client.query<{ figure: number | null }>(statement);
  const figure = rows[0]?.figure;
  if (typeof figure !== 'number') return 'no row';
  return Number.isFinite(figure) ? figure : 'not finite';
}

function faultOf(error: unknown): string {
  return errorCode(error) ?? 'no answer';
}

function sliceIdIn(database: string): number | null {
  const id = /^slice_(\d+)$/.exec(database)?.[1];
  return id === undefined ? null : Number(id);
}

/** The outcome of some work, unless the signal is aborted before. @throws what the signal was aborted for */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // What comes later is nobody's.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
