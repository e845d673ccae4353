import { log } from './log.ts';
import { startServer } from './server.ts';
import { readSettings, SettingsError } from './settings.ts';

/** EX_CONFIG of sysexits.h: starting again will not help. */
const UNUSABLE_ENVIRONMENT = 78;

// After an unexpected error the state of the process is unknown: whoever runs it starts a fresh one.
process.on('uncaughtException', (error) => {
  if (error instanceof SettingsError) {
    log('error', 'environment.unusable', { faults: error.faults });
    process.exit(UNUSABLE_ENVIRONMENT);
  }
  log('error', 'uncaught', { error });
  process.exit(1);
});

const starting = startServer(readSettings(process.env));
process.once('SIGTERM', (signal) => void stop(signal));
process.once('SIGINT', (signal) => void stop(signal));
const server = await starting;
log('info', 'listening', { host: server.host, port: server.port, startMs: Math.round(performance.now()) });
await server.ready;

async function stop(signal: string): Promise<void> {
  log('info', 'stopping', { signal });
  await (await starting).stop();
  log('info', 'stopped');
  process.exit(0);
}
