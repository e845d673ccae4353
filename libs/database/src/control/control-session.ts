import { Client, type ClientConfig, type QueryResult, type QueryResultRow } from 'pg';
import { isDatabaseUnavailable } from '../errors.js';
import { controlUnavailable } from './control-unavailable.js';

/** What each gateway's control connection calls itself in `pg_stat_activity`: there is one for every gateway. */
export const CONTROL_SESSION = 'sluice-control';

/** Lets the server notice within 11 s that this machine is gone, and free its locks. */
const KEEPALIVE =
  'SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3';
const CONNECT_TIMEOUT_MS = 2000;
const GOODBYE_TIMEOUT_MS = 500;

/** One session of the control connection, from connect to loss. Its queries run one after the other. */
export class ControlSession {
  private readonly client: Client;
  private readonly ended = new AbortController();
  private readonly waiting: (() => Promise<unknown>)[] = [];
  private busy = false;

  private constructor(connection: ClientConfig, onNotification: (channel: string, payload: string) => void) {
    this.client = new Client({
      ...connection,
      application_name: CONTROL_SESSION,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    this.client.on('notification', ({ channel, payload }) => onNotification(channel, payload ?? ''));
    this.client.on('error', (error) => this.lose(error));
    this.client.on('end', () => this.lose(new Error('The server closed the control connection')));
  }

  /** @throws Error of pg or Node when the server does not let us in */
  static async open(
    connection: ClientConfig,
    onNotification: (channel: string, payload: string) => void,
  ): Promise<ControlSession> {
    const session = new ControlSession(connection, onNotification);
    try {
      await session.client.connect();
      await session.client.query(KEEPALIVE);
      return session;
    } catch (error) {
      session.abandon(error);
      throw error;
    }
  }

  /** Aborted once, when the session is lost or closed: its locks are free then, or soon will be. */
  get lost(): AbortSignal {
    return this.ended.signal;
  }

  /**
   * Runs a statement after those that wait already, or before them when it is urgent. The queue is our own because
   * pg's is to go in its version 9, and has no order of precedence.
   * @throws CoreError DATABASE_UNAVAILABLE when the session is lost before the answer
   */
  query<Row extends QueryResultRow>(
    text: string,
    values: unknown[] = [],
    { urgent = false } = {},
  ): Promise<QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => this.execute<Row>(text, values).then(resolve, reject);
      if (urgent) this.waiting.unshift(run);
      else this.waiting.push(run);
      void this.work();
    });
  }

  /** Drops the connection without a word: for a server that no longer answers. */
  abandon(reason: unknown): void {
    this.lose(reason);
    this.client.connection.stream.destroy();
  }

  /** Says goodbye, and waits for no query that still runs. */
  async close(): Promise<void> {
    this.lose(new Error('The control connection was closed'));
    const timer = setTimeout(() => this.client.connection.stream.destroy(), GOODBYE_TIMEOUT_MS);
    await this.client.end().finally(() => clearTimeout(timer));
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let run = this.waiting.shift(); run !== undefined; run = this.waiting.shift()) await run();
    this.busy = false;
  }

  private async execute<Row extends QueryResultRow>(
    text: string,
    values: unknown[],
  ): Promise<QueryResult<Row>> {
    if (this.lost.aborted) throw controlUnavailable(this.lost.reason);
    try {
      return await this.client.query<Row>(text, values);
    } catch (error) {
      throw isDatabaseUnavailable(error) ? controlUnavailable(error) : error;
    }
  }

  private lose(reason: unknown): void {
    if (!this.lost.aborted) this.ended.abort(reason);
  }
}
