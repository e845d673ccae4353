import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { count } from '../lib/report.ts';
import { nginxWebSockets } from '../peers/nginx.ts';
import type { Peer } from '../peers/peer.ts';
import { Sluice } from '../peers/sluice.ts';
import { appSlice } from '../slices/command.ts';
import type { Row } from './row.ts';

/** A proxied WebSocket takes two descriptors, and many systems allow a process 20,000. */
const SOCKETS = 5000;
/** So many at a time are being opened. */
const AT_ONCE = 50;
/** What the first ones cost beside their own memory (code, pools) is spent before the count begins. */
const WARM_UP = 500;
const TARGET_KIB = 30;
/** One of them may have 500 at most. */
const CUSTOMERS = Math.ceil((SOCKETS + WARM_UP) / 400);

/** What an idle WebSocket costs in the gateway. */
export const webSockets: Row = {
  name: 'websockets',
  async run() {
    await using sluice = await Sluice.start({ slice: appSlice, customers: CUSTOMERS });
    await using other = await nginxWebSockets(sluice.sliceOrigin);
    const inSluice = await bytesEach(sluice, async () => (await sluice.memory()).rss);
    const inNginx = await bytesEach(other, async () => other.residentBytes());
    const what = `${count(SOCKETS)} idle WebSockets`;
    const lines = [
      { what, who: 'nginx', figures: `${kib(inNginx)} each` },
      {
        what,
        who: 'Sluice',
        figures: `${kib(inSluice)} each`,
        target: `≤ ${TARGET_KIB} KiB`,
        reached: inSluice <= TARGET_KIB * 1024,
      },
    ];
    return { lines, data: { sluiceBytes: inSluice, nginxBytes: inNginx } };
  },
};

async function bytesEach(peer: Peer, memory: () => Promise<number>): Promise<number> {
  const early = await open(peer, WARM_UP);
  const before = await memory();
  const sockets = await open(peer, SOCKETS);
  // Buffers of the handshakes are let go when their streams have come to rest.
  await wait(1000);
  const after = await memory();
  for (const socket of [...early, ...sockets]) socket.terminate();
  return (after - before) / SOCKETS;
}

async function open({ url, cookies }: Peer, number: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  while (sockets.length < number) {
    const cookie = (i: number): string | undefined => cookies[i % cookies.length];
    const next = Array.from({ length: AT_ONCE }, (_, i) => connect(url, cookie(sockets.length + i)));
    sockets.push(...(await Promise.all(next)));
  }
  return sockets;
}

function connect(url: string, cookie: string | undefined): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), {
    perMessageDeflate: false,
    ...(cookie === undefined ? {} : { headers: { cookie } }),
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket)).on('error', reject);
  });
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
