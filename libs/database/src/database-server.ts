import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '#config';
import type { DatabaseClients } from './database-clients.js';
import { connectionOf } from './connection.js';
import type { Connection } from './data-source-options.js';
import type { DataDirInUse } from './embedded/data-dir-claim.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

/** The PostgreSQL server that holds the gateway's database and the slices': a given one, or the embedded one. */
export class DatabaseServer {
  private readonly ousted = new AbortController();

  private constructor(
    /** The gateway's own database. */
    readonly connection: Connection,
    private readonly embedded: EmbeddedPostgres | null,
  ) {}

  /** Starts the embedded PostgreSQL where no other one is configured; for these clients too. */
  static async open(config: AppConfig, clients?: DatabaseClients): Promise<DatabaseServer> {
    if (config.database.kind === 'external') return new DatabaseServer(connectionOf(config.database), null);
    const embedded = await EmbeddedPostgres.start({
      dataDir: join(config.dataDir, 'postgres'),
      listenAddresses: (await clients?.listenAddresses()) ?? [],
      logger: new Logger(EmbeddedPostgres.name),
    });
    return new DatabaseServer(embedded.connection, embedded);
  }

  get isEmbedded(): boolean {
    return this.embedded !== null;
  }

  /** Aborted when the embedded PostgreSQL belongs to another gateway now, with the error that says so: time to end. */
  get taken(): AbortSignal {
    return this.ousted.signal;
  }

  /** Leaves the embedded PostgreSQL to the gateway it belongs to. */
  leave(reason: DataDirInUse): void {
    this.ousted.abort(reason);
  }

  /** Stops the embedded PostgreSQL, unless it is another gateway's by now; a given one is not ours to stop. */
  async close(): Promise<void> {
    if (this.taken.aborted) await this.embedded?.detach();
    else await this.embedded?.stop();
  }
}
