import { setTimeout as wait } from 'node:timers/promises';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ErrorTranslator } from '#common';
import { AppConfig } from '#config';
import { ControlConnection } from './control/control-connection.js';
import { DataDirClaim } from './control/data-dir-claim.js';
import { dataSourceOptions } from './data-source-options.js';
import { DatabaseErrorTranslator } from './database-error-translator.js';
import { DatabaseClients } from './database-clients.js';
import { DatabaseResources } from './database-resources.js';
import { DatabaseServer } from './database-server.js';
import { DataDirInUse } from './embedded/data-dir-claim.js';
import { isDatabaseUnavailable } from './errors.js';
import { SecretRotation } from './sealed/secret-rotation.js';
import { Transactions } from './transactions.js';

/** A database that starts together with the gateway gets so long. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 500;

/** Opens the control connection; with the embedded server it also makes sure that no other gateway uses it. */
async function openControl(server: DatabaseServer): Promise<ControlConnection> {
  const { connection, isEmbedded } = server;
  const logger = new Logger(ControlConnection.name);
  const claim = isEmbedded ? new DataDirClaim((error) => server.leave(error)) : null;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const control = new ControlConnection({ connection, logger, claim });
    try {
      await control.start();
      return control;
    } catch (error) {
      await control.stop();
      if (error instanceof DataDirInUse) server.leave(error);
      if (!isDatabaseUnavailable(error) || Date.now() > deadline) throw error;
      logger.warn(`PostgreSQL at ${connection.host}:${connection.port} does not answer yet`);
      await wait(RETRY_MS);
    }
  }
}

/** Opens the pool. */
async function openDataSource({ connection }: DatabaseServer, { database }: AppConfig): Promise<DataSource> {
  return new DataSource(dataSourceOptions(connection, database.poolMax)).initialize();
}

/** Brings the schema up to date: one replica does, the others wait for it. */
async function migrate(dataSource: DataSource, control: ControlConnection): Promise<void> {
  const lock = await control.acquire('migrations', { timeoutMs: PATIENCE_MS });
  try {
    await dataSource.runMigrations();
  } finally {
    await lock.release();
  }
}

/** PostgreSQL for everybody: the pool (TypeORM), the control connection, and what their errors mean to a caller. */
@Global()
@Module({})
export class DatabaseModule {
  /** @param resources closes what the module opens: with the application, or by the caller when that can't be built */
  static forRoot(resources = new DatabaseResources()): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: DatabaseResources, useValue: resources },
        {
          provide: DatabaseServer,
          inject: [AppConfig, { token: DatabaseClients, optional: true }],
          useFactory: (config: AppConfig, clients?: DatabaseClients) =>
            resources.open(
              () => DatabaseServer.open(config, clients),
              (server) => server.close(),
            ),
        },
        {
          provide: ControlConnection,
          inject: [DatabaseServer],
          useFactory: (server: DatabaseServer) =>
            resources.open(
              () => openControl(server),
              (control) => control.stop(),
            ),
        },
        {
          provide: DataSource,
          inject: [DatabaseServer, ControlConnection, AppConfig],
          useFactory: async (server: DatabaseServer, control: ControlConnection, config: AppConfig) => {
            const dataSource = await resources.open(
              () => openDataSource(server, config),
              (opened) => opened.destroy(),
            );
            await migrate(dataSource, control);
            return dataSource;
          },
        },
        Transactions,
        SecretRotation,
        { provide: ErrorTranslator, useClass: DatabaseErrorTranslator },
      ],
      exports: [DatabaseServer, ControlConnection, DataSource, Transactions, SecretRotation, ErrorTranslator],
    };
  }
}
