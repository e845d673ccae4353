import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { soak } from '../../support/soak.js';
import { portOf } from '../../support/stub-upstream.js';

const MIB = 1024 * 1024;
const SIZE = soak(1024 * MIB, 64 * MIB);
const BLOCK = randomBytes(MIB);
const GROWTH_LIMIT = 64 * MIB;

function* blocks(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += BLOCK.length) yield BLOCK;
}

async function sha256(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(stream, hash);
  return hash.digest('hex');
}

/** GET streams SIZE bytes, PUT answers with the hash of what came, POST echoes. */
function serve(
  req: IncomingMessage,
  respond: NodeJS.WritableStream & { end: (text?: string) => unknown },
): void {
  if (req.method === 'GET') void pipeline(Readable.from(blocks(SIZE), { objectMode: false }), respond);
  else if (req.method === 'PUT') void sha256(req).then((hash) => respond.end(hash));
  else void pipeline(req, respond);
}

let origin: Server;
let proxy: ProxyHarness;
let expected: string;

beforeAll(async () => {
  origin = createServer(serve).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  proxy = await ProxyHarness.start({ port: portOf(origin) });
  expected = await sha256(Readable.from(blocks(SIZE), { objectMode: false }));
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  origin.closeAllConnections();
  origin.close();
});

async function send(
  method: string,
  headers: Record<string, string | number>,
  size: number,
): Promise<IncomingMessage> {
  const req = request(proxy.url, { method, headers, agent: false });
  const answered = once(req, 'response');
  void pipeline(Readable.from(blocks(size), { objectMode: false }), req).catch(() => undefined);
  const res: IncomingMessage = (await answered)[0];
  return res;
}

async function download(): Promise<string> {
  const req = request(proxy.url, { agent: false }).end();
  const res: IncomingMessage = (await once(req, 'response'))[0];
  return sha256(res);
}

async function upload(headers: Record<string, string | number>): Promise<string> {
  const res = await send('PUT', headers, SIZE);
  return Buffer.concat(await res.toArray()).toString();
}

async function growthOf(transfer: () => Promise<string>): Promise<number> {
  await transfer();
  const before = process.memoryUsage().rss;
  expect(await transfer()).toBe(expected);
  return process.memoryUsage().rss - before;
}

describe('Large bodies', () => {
  const minutes = 600_000;

  it(
    'come down unchanged, within bounded memory',
    async () => {
      expect(await growthOf(download)).toBeLessThanOrEqual(GROWTH_LIMIT);
    },
    minutes,
  );

  it(
    'go up unchanged, within bounded memory',
    async () => {
      expect(await growthOf(() => upload({ 'Content-Length': SIZE }))).toBeLessThanOrEqual(GROWTH_LIMIT);
    },
    minutes,
  );

  it(
    'go up in chunks',
    async () => {
      expect(await upload({ 'Transfer-Encoding': 'chunked' })).toBe(expected);
    },
    minutes,
  );

  it(
    'flow both ways at once, the answer beginning before the request has ended',
    async () => {
      const res = await send('POST', { 'Transfer-Encoding': 'chunked' }, SIZE);
      expect(await sha256(res)).toBe(expected);
    },
    minutes,
  );

  it('a client that does not read makes the upstream wait', async () => {
    let produced = 0;
    const endless = createServer((_req, res) => {
      const source = Readable.from(blocks(1024 * MIB), { objectMode: false });
      source.on('data', (chunk: Buffer) => (produced += chunk.length));
      void pipeline(source, res).catch(() => undefined);
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    await using slow = await ProxyHarness.start({ port: portOf(endless) });
    const req = request(slow.url, { agent: false }).end();
    const res: IncomingMessage = (await once(req, 'response'))[0];
    const taken = new Writable({ write: () => undefined });
    res.pipe(taken);
    let seen = -1;
    while (seen !== produced) {
      seen = produced;
      await download();
    }
    expect(produced).toBeLessThan(64 * MIB);
    req.destroy();
    endless.closeAllConnections();
    endless.close();
  });
});
