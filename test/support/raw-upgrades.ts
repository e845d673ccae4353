import { SystemClock } from '#common';
import type { Lane } from '../../libs/proxy/src/forward/forward-target.js';
import { Backend } from '../../libs/proxy/src/targets/backend.js';
import { Pool } from '../../libs/proxy/src/targets/pool.js';
import { RawClient } from './raw-client.js';

/** The answer to a handshake, for clients that do not check it. */
export const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** A WebSocket's handshake, byte by byte. */
export function upgradeOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
}

/** Sends a handshake, and does not wait for its answer. */
export async function beginUpgrade(port: number, path: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.write(upgradeOf(path));
  return client;
}

/**
 * A pool with a backend at this port, and the way there.
 * @param others URLs of further ones: the last healthy one is kept in, however it fails
 */
export function poolOf(port: number, ...others: string[]): { readonly pool: Pool; readonly lane: Lane } {
  const clock = new SystemClock();
  const pool = new Pool('jobs', clock);
  const upstream = new Backend(`http://127.0.0.1:${port}`, '', clock);
  pool.replace([upstream, ...others.map((url) => new Backend(url, '', clock))]);
  return { pool, lane: { target: pool, upstream, path: '/', hostOfUpstream: false } };
}
