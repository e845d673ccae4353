import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccountToolsModule } from '#auth';
import { CommonModule, DomainError } from '#common';
import { type AppConfig, ConfigError, ConfigModule, type DatabaseConfig, loadConfig } from '#config';
import { DatabaseModule, DatabaseResources, DataDirInUse, EmbeddedPostgres } from '#database';

/** What the operator did wrong, in words that are for them. */
export class UsageError extends Error {}

/**
 * Runs something on the accounts of the installation that `npm start` would run here: the same `.env`, the same
 * configuration. The embedded PostgreSQL is started for as long as it takes; where a gateway runs, its server is used.
 * Sets the exit status: 78 for a configuration that is none, 1 for any other failure.
 */
export async function withAccounts(use: (accounts: INestApplicationContext) => Promise<void>): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    const config = loadConfig(process.env);
    const accounts = await openBeside(config);
    try {
      await use(accounts);
    } finally {
      await accounts.close();
    }
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? ConfigError.EXIT_CODE : 1;
    console.error(told(error));
  }
}

async function openBeside(config: AppConfig): Promise<INestApplicationContext> {
  try {
    return await open(config);
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error;
    return open(await configOfRunning(config, error));
  }
}

/** The same configuration, with the embedded server of the gateway that runs as one that was given. */
async function configOfRunning(config: AppConfig, inUse: DataDirInUse): Promise<AppConfig> {
  const running = await EmbeddedPostgres.connectionOfRunning(join(config.dataDir, 'postgres'));
  if (running === null) throw inUse;
  const { host, port, database: name, user, password } = running;
  const given: DatabaseConfig = {
    kind: 'external',
    poolMax: config.database.poolMax,
    host,
    port,
    name,
    user,
    password,
    tls: false,
  };
  return Object.assign({}, config, { database: given });
}

async function open(config: AppConfig): Promise<INestApplicationContext> {
  const resources = new DatabaseResources();
  const imports = [
    CommonModule,
    ConfigModule.forRoot(config),
    DatabaseModule.forRoot(resources),
    AccountToolsModule,
  ];
  try {
    return await NestFactory.createApplicationContext(
      { module: class Tool {}, imports },
      { logger: ['error', 'warn'], abortOnError: false },
    );
  } catch (error) {
    await resources.close();
    throw error;
  }
}

function told(error: unknown): string {
  if (error instanceof DomainError) {
    const details = (error.details ?? []).map(({ path, message }) => `\n  ${path} ${message}`);
    return error.message + details.join('');
  }
  if (error instanceof UsageError || error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
