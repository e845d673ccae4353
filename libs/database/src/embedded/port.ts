import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * Above the ports of slices (5001–5999) and below those the kernel gives to outgoing connections (from 32768), so that
 * the port is still free at the next start: the slices' DATABASE_URL holds it.
 */
const FIRST = 20_000;
const LAST = 29_999;

/** Reads the port kept in `file`; null when there is none. */
export async function keptPort(file: string): Promise<number | null> {
  try {
    const port = Number(await readFile(file, 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}

/** Picks a free loopback port and keeps it in `file`. */
export async function pickPort(file: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (!(await isFree(port))) continue;
    await writeFile(file, `${port}\n`);
    return port;
  }
  throw new Error(`No free port between ${FIRST} and ${LAST} for the embedded PostgreSQL.`);
}

/** Tells whether a server could listen on the loopback port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
