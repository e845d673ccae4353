import { createRequire } from 'node:module';

/** Starts the PostgreSQL server that the tests of a run share; test/support/postgres.ts makes databases on it. */
export default async function globalSetup(): Promise<void> {
  // Jest's module mapper is not at work here.
  createRequire(import.meta.url)('./typescript-loader.ts');
  const { startSharedServer } = await import('./shared-server.js');
  await startSharedServer();
}
