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

/** A pool of two backends, and the way to the first. */
export function poolOf(port: number): { readonly pool: Pool; readonly lane: Lane } {
  const clock = new SystemClock();
  const pool = new Pool('two', clock);
  const upstream = new Backend(`http://127.0.0.1:${port}`, '', clock);
  // Of one alone the last would be kept in, however it fails.
  pool.replace([upstream, new Backend('http://127.0.0.2:9', '', clock)]);
  return { pool, lane: { target: pool, upstream, path: '/', hostOfUpstream: false } };
}
