import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Listens on a loopback port, and drops every connection, until it is closed. */
export async function occupyPort(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/**
 * A loopback port that nothing listens on at this moment, for a server that can't be told to choose one itself. Below
 * the ephemeral ports, which the system may give to any outgoing connection before the server takes it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const server = await occupyPort(port).catch(() => null);
    if (server === null) continue;
    await closeServer(server);
    return port;
  }
}

/** Closes a server, and waits until it is. */
export async function closeServer(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
