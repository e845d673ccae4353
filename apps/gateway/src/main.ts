import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { AllowedOrigins } from '#auth';
import { ConfigError, loadConfig, type AppConfig } from '#config';
import { createGateway } from './create-gateway.js';
import { greeting } from './greeting.js';

/** Writes to standard error without a logger: it is for the time before there is one, and after it is gone. */
function fail(error: unknown, exitCode: number): never {
  const told = error instanceof Error && process.env['LOG_LEVEL'] !== 'debug' ? error.message : error;
  process.stderr.write(`${String(told)}\n`);
  process.exit(exitCode);
}

function readConfig(): AppConfig {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    return loadConfig(process.env);
  } catch (error) {
    return fail(error, error instanceof ConfigError ? ConfigError.EXIT_CODE : 1);
  }
}

async function main(): Promise<void> {
  const config = readConfig();
  const app = await createGateway(config);
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  await app.listen(config.http.port, config.http.host);
  const here = await app.getUrl();
  if (config.http.appUrl === null) app.get(AllowedOrigins).setOwn(here);
  process.stdout.write(greeting(config, config.http.appUrl ?? here));
}

// After an error that nobody caught, no state can be trusted any more. A supervisor starts the process again, and the
// reconciler heals what was under way.
process.on('uncaughtException', (error) => {
  process.stderr.write(`uncaught: ${error.stack ?? String(error)}\n`);
  process.exit(1);
});

main().catch((error: unknown) => fail(error, 1));
