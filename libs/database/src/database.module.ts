import { setTimeout as wait } from 'node:timers/promises';
import { Global, Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ErrorTranslator } from '#common';
import { AppConfig } from '#config';
import { claimDataDir } from './control/claim-data-dir.js';
import { ControlConnection } from './control/control-connection.js';
import { dataSourceOptions } from './data-source-options.js';
import { DatabaseErrorTranslator } from './database-error-translator.js';
import { DatabaseClients } from './database-clients.js';
import { DatabaseServer } from './database-server.js';
import { isDatabaseUnavailable } from './errors.js';

/** A database that starts together with the gateway gets so long. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 500;

/** Opens the control connection; with the embedded server it also makes sure that no other gateway uses it. */
async function openControl(server: DatabaseServer): Promise<ControlConnection> {
  const logger = new Logger(ControlConnection.name);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const control = new ControlConnection({ connection: server.connection, logger });
    try {
      await control.start();
      if (server.isEmbedded) await claimDataDir(control);
      return control;
    } catch (error) {
      await control.stop();
      if (!isDatabaseUnavailable(error) || Date.now() > deadline) {
        await server.detach();
        throw error;
      }
      logger.warn(`PostgreSQL at ${server.connection.host}:${server.connection.port} does not answer yet`);
      await wait(RETRY_MS);
    }
  }
}

/** Opens the pool, and brings the schema up to date: one replica does, the others wait for it. */
async function openDataSource(
  server: DatabaseServer,
  control: ControlConnection,
  config: AppConfig,
): Promise<DataSource> {
  const dataSource = await new DataSource(
    dataSourceOptions(server.connection, config.database.poolMax),
  ).initialize();
  const lock = await control.acquire('migrations', { timeoutMs: PATIENCE_MS });
  try {
    await dataSource.runMigrations();
  } finally {
    await lock.release();
  }
  return dataSource;
}

/** Closes what the database library opened, in the order in which it is needed, after everybody else is done. */
@Injectable()
class DatabaseLifecycle implements OnApplicationShutdown {
  constructor(
    private readonly server: DatabaseServer,
    private readonly control: ControlConnection,
    private readonly dataSource: DataSource,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
    await this.control.stop();
    await this.server.close();
  }
}

/** PostgreSQL for everybody: the pool (TypeORM), the control connection, and what their errors mean to a caller. */
@Global()
@Module({
  providers: [
    {
      provide: DatabaseServer,
      inject: [AppConfig, { token: DatabaseClients, optional: true }],
      useFactory: (config: AppConfig, clients?: DatabaseClients) => DatabaseServer.open(config, clients),
    },
    { provide: ControlConnection, inject: [DatabaseServer], useFactory: openControl },
    {
      provide: DataSource,
      inject: [DatabaseServer, ControlConnection, AppConfig],
      useFactory: openDataSource,
    },
    { provide: ErrorTranslator, useClass: DatabaseErrorTranslator },
    DatabaseLifecycle,
  ],
  exports: [DatabaseServer, ControlConnection, DataSource, ErrorTranslator],
})
export class DatabaseModule {}
