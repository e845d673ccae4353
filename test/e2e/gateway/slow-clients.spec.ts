import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import type { Browser } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { soak } from '../../support/soak.js';
import { portOf } from '../../support/stub-upstream.js';

const PROGRAM = fileURLToPath(new URL('../../support/slow-clients.mjs', import.meta.url));
const BLOCK = Buffer.alloc(64 * 1024, 'x');
const MIB = 1024 * 1024;

/** Customers who keep connections, with a slice each: no slice gets more than a thousand requests at once. */
const SLOW_CUSTOMERS = 4;
/** Of each of them. Few read nothing: the kernel keeps megabytes for each of those. */
const COUNT = { headers: soak(600, 35), body: soak(625, 35), read: soak(25, 5) };
const CLIENTS = SLOW_CUSTOMERS * (COUNT.headers + COUNT.body + COUNT.read);
/** The gateway's own limits in the long run: 30 s for the headers, 60 s for a body, one to two minutes for a reader. */
const LIMITS = { headersMs: 2_000, headersCheckMs: 200, uploadIdleMs: 2_000, downloadIdleMs: 2_000 };
const ALL_ENDED_WITHIN_MS = soak(240_000, 20_000);
const LATENCY_LIMIT_MS = 5_000;

let gateway: Gateway;
const slices: Server[] = [];

beforeAll(async () => {
  gateway = await Gateway.start({ ...ASSIGNED_SLICES, ...(soak(1, 0) === 1 ? {} : { limits: LIMITS }) });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  for (const slice of slices) slice.closeAllConnections();
  for (const slice of slices) slice.close();
});

/** A new customer whose slice reads uploads, answers without end where it is asked to, and else at once. */
async function customer(): Promise<Browser> {
  const slice = createServer(serve).listen(0, '127.0.0.1');
  slices.push(slice);
  await once(slice, 'listening');
  return (await customerWith(gateway, { port: portOf(slice) })).browser;
}

function serve(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === '/api/endless') {
    const more = (): void => {
      while (!res.destroyed && res.write(BLOCK));
    };
    res.on('drain', more);
    more();
  } else {
    req.resume().on('end', () => res.end('here'));
  }
}

function openConnections(server: Server): Promise<number> {
  return promisify(server.getConnections.bind(server))();
}

async function connectionsToSlices(): Promise<number> {
  const each = await Promise.all(slices.map(openConnections));
  return each.reduce((sum, count) => sum + count, 0);
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** Sends one request after the other until it is told to stop, and gives the longest time that one took. */
async function askOn(browser: Browser, until: AbortSignal): Promise<{ asked: number; slowestMs: number }> {
  let slowestMs = 0;
  let asked = 0;
  for (; !until.aborted; asked++) {
    const begun = performance.now();
    expect(await browser.get('/api/x')).toMatchObject({ status: 200, body: 'here' });
    expect(await browser.get('/auth/me')).toMatchObject({
      status: 200,
      body: { user: { email: expect.anything() } },
    });
    slowestMs = Math.max(slowestMs, performance.now() - begun);
  }
  return { asked, slowestMs };
}

describe(`${CLIENTS} clients that make no progress`, () => {
  it(
    'keep nobody else waiting, and are ended one and all',
    async () => {
      const ordinary = await Promise.all([customer(), customer()]);
      const slow = await Promise.all(Array.from({ length: SLOW_CUSTOMERS }, customer));
      await Promise.all([...ordinary, ...slow].map((browser) => browser.get('/api/x')));
      const server: Server = gateway.app.getHttpServer();
      const before = {
        heap: heapInUse(),
        clients: await openConnections(server),
        slices: await connectionsToSlices(),
      };

      const program = fork(PROGRAM, { execArgv: [] });
      const stuck = once(program, 'message');
      const port = Number(new URL(gateway.url).port);
      program.send(slow.map(({ cookie }) => ({ port, cookie, count: COUNT })));
      expect((await stuck)[0]).toBe('stuck');
      await eventually(async () => expect(await openConnections(server)).toBeGreaterThanOrEqual(CLIENTS));

      const over = new AbortController();
      const asking = ordinary.map((browser) => askOn(browser, over.signal));
      await eventually(async () => {
        expect(await openConnections(server)).toBeLessThanOrEqual(before.clients + ordinary.length);
        expect(await connectionsToSlices()).toBeLessThanOrEqual(before.slices + ordinary.length);
      }, ALL_ENDED_WITHIN_MS);
      over.abort();
      for (const { asked, slowestMs } of await Promise.all(asking)) {
        expect(asked).toBeGreaterThan(10);
        expect(slowestMs).toBeLessThan(LATENCY_LIMIT_MS);
      }
      program.send('what has become of them?');
      const [ends] = await once(program, 'message');
      expect(ends).toMatchObject({
        headers: { 408: SLOW_CUSTOMERS * COUNT.headers },
        body: { 408: SLOW_CUSTOMERS * COUNT.body },
      });
      expect(heapInUse() - before.heap).toBeLessThan(32 * MIB);
      program.kill();
      await once(program, 'exit');
    },
    ALL_ENDED_WITHIN_MS + 60_000,
  );
});
