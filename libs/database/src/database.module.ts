import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog, ErrorTranslator } from '#common';
import { AppConfig } from '#config';
import { StoredAuditLog } from './audit/stored-audit-log.js';
import { ControlConnection } from './control/control-connection.js';
import { openControl } from './control/open-control.js';
import { dataSourceOptions } from './data-source-options.js';
import { DatabaseErrorTranslator } from './database-error-translator.js';
import { DatabaseClients } from './database-clients.js';
import { DatabaseResources } from './database-resources.js';
import { DatabaseServer } from './database-server.js';
import { SecretRotation } from './sealed/secret-rotation.js';
import { Transactions } from './transactions.js';

/** A database that starts together with the gateway gets so long. */
const PATIENCE_MS = 30_000;

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
              () =>
                openControl(server, {
                  logger: new Logger(ControlConnection.name),
                  patienceMs: PATIENCE_MS,
                  stop: resources.stop,
                }),
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
        { provide: AuditLog, useClass: StoredAuditLog },
        { provide: ErrorTranslator, useClass: DatabaseErrorTranslator },
      ],
      exports: [
        DatabaseServer,
        ControlConnection,
        DataSource,
        Transactions,
        SecretRotation,
        AuditLog,
        ErrorTranslator,
      ],
    };
  }
}
