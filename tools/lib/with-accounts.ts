import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplicationContext, LoggerService, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccountToolsModule } from '#auth';
import { CommonModule, DomainError, errorCode, plainMessage } from '#common';
import { type AppConfig, ConfigError, ConfigModule, type DatabaseConfig, loadConfig } from '#config';
import { DatabaseModule, DatabaseResources, DataDirInUse, EmbeddedPostgres } from '#database';

/** Nest logs what it throws as well; here it is told once, in words. There is no log beside: a warning is a line. */
const quiet: LoggerService = {
  log: () => undefined,
  warn: (about: unknown, text: unknown) => console.error(lineOf(about, text)),
  error: () => undefined,
};

/** Our warnings are facts and a sentence; those of others, a sentence. */
function lineOf(about: unknown, text: unknown): string {
  if (typeof about !== 'object' || about === null) return String(about);
  const { err, ...facts } = about as Record<string, unknown>;
  const why = err instanceof Error ? err.message : err;
  return [...Object.values(facts), text, why]
    .filter((part) => part !== undefined && part !== null)
    .join(': ');
}

/** By the configuration that was read. */
type Modules = (config: AppConfig) => NonNullable<ModuleMetadata['imports']>;

/** What the operator did wrong, in words that are for them. */
export class UsageError extends Error {}

/**
 * Runs something on the accounts of the installation that `npm start` would run here: the same `.env`, the same
 * configuration. The embedded PostgreSQL is started for as long as it takes; where a gateway runs, its server is used.
 * Sets the exit status: 78 for a configuration that is none, 1 for any other failure.
 * @param parameters reads the command line, before anything is touched
 * @param modules what the program needs besides configuration and database
 */
export async function withAccounts<T>(
  parameters: () => T,
  use: (accounts: INestApplicationContext, given: T) => Promise<void>,
  modules: Modules = () => [AccountToolsModule],
): Promise<void> {
  try {
    const given = parameters();
    if (existsSync('.env')) process.loadEnvFile('.env');
    const config = loadConfig(process.env);
    const accounts = await openBeside(config, modules);
    try {
      await use(accounts, given);
    } finally {
      await accounts.close();
    }
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? ConfigError.EXIT_CODE : 1;
    console.error(told(error));
  }
}

async function openBeside(config: AppConfig, modules: Modules): Promise<INestApplicationContext> {
  try {
    return await open(config, modules);
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error;
    return open(await configOfRunning(config, error), modules);
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

async function open(config: AppConfig, modules: Modules): Promise<INestApplicationContext> {
  const resources = new DatabaseResources();
  const imports = [
    CommonModule,
    ConfigModule.forRoot(config),
    DatabaseModule.forRoot(resources),
    ...modules(config),
  ];
  try {
    return await NestFactory.createApplicationContext(
      { module: class Tool {}, imports },
      { logger: quiet, abortOnError: false },
    );
  } catch (error) {
    await resources.close();
    throw error;
  }
}

function told(error: unknown): string {
  if (error instanceof DomainError) return plainMessage(error);
  if (!(error instanceof Error)) return String(error);
  // With a code it is a fault of the world (no such file, an unknown option), not one of ours.
  const isOurs =
    !(error instanceof UsageError || error instanceof ConfigError) && errorCode(error) === undefined;
  return isOurs ? (error.stack ?? error.message) : error.message;
}
