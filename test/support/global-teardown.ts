export default async function globalTeardown(): Promise<void> {
  const { stopSharedServer } = await import('./shared-server.js');
  await stopSharedServer();
}
