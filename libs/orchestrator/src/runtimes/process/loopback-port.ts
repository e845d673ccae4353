import { createServer } from 'node:net';
import { once } from 'node:events';
import { PortTakenError } from '../errors.js';

/**
 * Makes sure that nothing listens on the port, by listening on it for an instant. Another may still take it before
 * the slice does: then the slice ends by itself, and its next start finds the port taken.
 * @throws PortTakenError
 */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, 'listening');
  } catch (cause) {
    throw new PortTakenError(port, { cause });
  } finally {
    probe.close();
  }
}
