import { Logger } from '@nestjs/common';
import { EmbeddedPostgres, ControlConnection, DataDirClaim } from '#database';

/*
 * A process that owns an embedded PostgreSQL, as a gateway does, for tests that kill it:
 * node --import ./test/support/typescript-loader.ts test/support/embedded-owner.ts <data directory>
 * It prints the server's pid when it is up, and stops it on SIGTERM.
 */
const [, , dataDir = ''] = process.argv;
const logger = new Logger('owner', { timestamp: false });
Logger.overrideLogger(['error']);

const server = await EmbeddedPostgres.start({ dataDir, logger });
const control = new ControlConnection({ connection: server.connection, logger, claim: new DataDirClaim() });
await control.start();

process.once('SIGTERM', () => {
  void control.stop().then(() => server.stop());
});
process.stdout.write(`${server.pid}\n`);
