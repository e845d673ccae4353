import { ConsoleLogger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { dataSourceOptions, EmbeddedPostgres } from '#database';
import { temporaryFolder } from './temporary.ts';

/** A PostgreSQL server of its own, in which the benchmark can prepare what it wants to measure. */
export class Database implements AsyncDisposable {
  readonly url: string;
  readonly #server: EmbeddedPostgres;

  private constructor(server: EmbeddedPostgres) {
    const { user, password, host, port, database } = server.connection;
    this.url = `postgres://${user}:${password ?? ''}@${host}:${port}/${database}`;
    this.#server = server;
  }

  static async start(): Promise<Database> {
    const logger = new ConsoleLogger({ logLevels: ['error'] });
    return new Database(await EmbeddedPostgres.start({ dataDir: temporaryFolder(), logger }));
  }

  /** Runs statements, each with its parameters. */
  async run(...statements: ReadonlyArray<readonly [sql: string, parameters?: unknown[]]>): Promise<void> {
    await this.use(async (dataSource) => {
      for (const [sql, parameters] of statements) await dataSource.query(sql, parameters);
    });
  }

  /** A connection of its own, for as long as this takes. */
  async use(work: (dataSource: DataSource) => Promise<void>): Promise<void> {
    const options = dataSourceOptions(this.#server.connection, 1);
    // What fills a database may take its time.
    const dataSource = await new DataSource({ ...options, extra: { query_timeout: 0 } }).initialize();
    try {
      await work(dataSource);
    } finally {
      await dataSource.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
