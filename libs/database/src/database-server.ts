import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '#config';
import { connectionOf } from './connection.js';
import type { Connection } from './data-source-options.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

/** The PostgreSQL server that holds the gateway's database and the slices': a given one, or the embedded one. */
export class DatabaseServer {
  private constructor(
    /** The gateway's own database. */
    readonly connection: Connection,
    private readonly embedded: EmbeddedPostgres | null,
  ) {}

  /** Starts the embedded PostgreSQL where no other one is configured. */
  static async open(config: AppConfig): Promise<DatabaseServer> {
    if (config.database.kind === 'external') return new DatabaseServer(connectionOf(config.database), null);
    const embedded = await EmbeddedPostgres.start({
      dataDir: join(config.dataDir, 'postgres'),
      listenAddresses: config.slices.runtime === 'docker' ? bridgeAddresses() : [],
      logger: new Logger(EmbeddedPostgres.name),
    });
    return new DatabaseServer(embedded.connection, embedded);
  }

  get isEmbedded(): boolean {
    return this.embedded !== null;
  }

  /** Leaves the embedded PostgreSQL to the gateway it belongs to. */
  async detach(): Promise<void> {
    await this.embedded?.detach();
  }

  /** Stops the embedded PostgreSQL; a given one is not ours to stop. */
  async close(): Promise<void> {
    await this.embedded?.stop();
  }
}

/**
 * Where containers find the host: the address of Docker's default bridge, which is what `host-gateway` stands for.
 */
function bridgeAddresses(): string[] {
  return (networkInterfaces()['docker0'] ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address);
}
