import 'reflect-metadata';
import { existsSync } from 'node:fs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { AllowedOrigins } from '#auth';
import { errorCode } from '#common';
import { ConfigError, loadConfig, type AppConfig } from '#config';
import { DatabaseServer } from '#database';
import { createGateway } from './create-gateway.js';
import { greeting } from './greeting.js';
import { collectStartGarbage } from './start-garbage.js';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

let app: NestExpressApplication | null = null;
let stopAskedBy: NodeJS.Signals | null = null;
const stop = new AbortController();

/** Writes to standard error without a logger: it is for the time before there is one, and after it is gone. */
function fail(error: unknown): never {
  const stack = process.env['LOG_LEVEL'] === 'debug' && error instanceof Error ? error.stack : undefined;
  process.stderr.write(`${stack ?? messageOf(error)}\n`);
  process.exit(error instanceof ConfigError ? ConfigError.EXIT_CODE : 1);
}

/** Node gives one error for all addresses of a host, and that one has no message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function readConfig(): AppConfig {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    return loadConfig(process.env);
  } catch (error) {
    return fail(error);
  }
}

async function main(): Promise<void> {
  // Until Nest listens to them: a signal in the middle of the start would leave the embedded database running.
  for (const signal of STOP_SIGNALS) process.once(signal, () => askToStop(signal));
  const config = readConfig();
  app = await createGateway(config, stop.signal);
  app.enableShutdownHooks([...STOP_SIGNALS], { useProcessExit: true });
  endWhenDatabaseIsTaken(app);
  if (stopAskedBy !== null) process.kill(process.pid, stopAskedBy);
  else await serve(app, config);
}

function askToStop(signal: NodeJS.Signals): void {
  stopAskedBy ??= signal;
  stop.abort();
}

/** While the database was away, another gateway can have taken the data directory: two would undo each other's work. */
function endWhenDatabaseIsTaken(gateway: NestExpressApplication): void {
  const { taken } = gateway.get(DatabaseServer);
  const end = (): void => {
    gateway.get(Logger).fatal({ err: taken.reason }, 'the data directory was taken; the process ends');
    void gateway.close().finally(() => process.exit(1));
  };
  if (taken.aborted) end();
  else taken.addEventListener('abort', end, { once: true });
}

async function serve(gateway: NestExpressApplication, config: AppConfig): Promise<void> {
  const { host, port, appUrl } = config.http;
  try {
    await gateway.listen(port, host);
  } catch (error) {
    // Database and slices run by now, and are to end with us.
    await gateway.close();
    throw errorCode(error) === 'EADDRINUSE'
      ? new Error(`Port ${port} of ${host} is in use. Set PORT to another one.`)
      : error;
  }
  const here = await gateway.getUrl();
  if (appUrl === null) gateway.get(AllowedOrigins).setOwn(here);
  process.stdout.write(greeting(config, appUrl ?? here));
  collectStartGarbage();
}

// After an error that nobody caught, no state can be trusted any more. A supervisor starts the process again, and the
// reconciler heals what was under way.
process.on('uncaughtException', (error) => {
  if (app === null) process.stderr.write(`uncaught: ${error.stack ?? String(error)}\n`);
  else app.get(Logger).fatal({ err: error }, 'uncaught exception; the process ends');
  process.exit(1);
});

main().catch((error: unknown) => {
  // Asked to end before it was up, it has closed what it had opened: that is no failure.
  if (stop.signal.aborted && error === stop.signal.reason) process.exit(0);
  fail(error);
});
