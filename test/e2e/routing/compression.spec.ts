import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { Gateway } from '../../support/gateway.js';
import { RawClient } from '../../support/raw-client.js';

const LARGE = 'The quick brown fox jumps over the lazy dog. '.repeat(500);

/** Answers as its path says, with the large text unless something else is said. */
let upstream: Server;
let gateway: Gateway;

const ANSWERS: Record<string, (res: import('node:http').ServerResponse) => void> = {
  '/text': (res) =>
    res
      .writeHead(200, {
        'content-type': 'text/plain',
        etag: '"v1"',
        'accept-ranges': 'bytes',
        'content-length': LARGE.length,
      })
      .end(LARGE),
  '/json': (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ LARGE })),
  '/small': (res) => res.writeHead(200, { 'content-type': 'text/plain', 'content-length': 3 }).end('abc'),
  '/png': (res) => res.writeHead(200, { 'content-type': 'image/png' }).end(LARGE),
  '/encoded': (res) =>
    res.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'identity' }).end(LARGE),
  '/range': (res) =>
    res
      .writeHead(206, { 'content-type': 'text/plain', 'content-range': `bytes 0-${LARGE.length - 1}/999999` })
      .end(LARGE),
  '/no-transform': (res) =>
    res.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'public, no-transform' }).end(LARGE),
  '/trickle': (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"first":true}\n');
    held = () => res.end('{"last":true}\n');
  },
  '/events': (res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${LARGE}\n\n`),
  '/broken': (res) => {
    res
      .writeHead(200, { 'content-type': 'text/plain', 'content-length': LARGE.length })
      .write(LARGE.slice(0, 5000));
    setImmediate(() => res.destroy());
  },
};
let held: () => void = () => undefined;

beforeAll(async () => {
  upstream = createServer((req, res) => ANSWERS[req.url ?? '']?.(res)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
services:
  packed: { url: "${url}", path: /packed, compress: true }
  plain: { url: "${url}", path: /plain }
`,
  });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** As it comes over the wire: fetch would unpack it. */
async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Received> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.join('')}\r\n`;
  const raw = Buffer.from(await RawClient.exchange(Number(new URL(gateway.url).port), text), 'latin1');
  const end = raw.indexOf('\r\n\r\n');
  const [status = '', ...fields] = raw.subarray(0, end).toString('latin1').split('\r\n');
  const parsed = new Headers(
    fields.map((field): [string, string] => [
      field.slice(0, field.indexOf(':')),
      field.slice(field.indexOf(':') + 2),
    ]),
  );
  const body = raw.subarray(end + 4);
  return {
    status: Number(status.slice(9, 12)),
    headers: parsed,
    bytes: parsed.get('transfer-encoding') === 'chunked' ? unchunk(body) : body,
  };
}

function unchunk(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.subarray(at, end).toString('latin1'), 16);
    // The last one, or one that has not arrived whole.
    if (size === 0 || end === -1 || end + 2 + size > body.length) break;
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}

const ALL = { 'Accept-Encoding': 'gzip, deflate, br' };

describe('a route that compresses', () => {
  it.each([
    ['br', 'gzip, deflate, br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip', 'br;q=0, gzip', gunzipSync],
    ['br', '*', brotliDecompressSync],
  ])('does so by %s for %s', async (encoding, accepted, unpack) => {
    const { headers, bytes } = await get('/packed/text', { 'Accept-Encoding': accepted });
    expect(headers.get('content-encoding')).toBe(encoding);
    expect(bytes.length).toBeLessThan(LARGE.length / 10);
    expect(unpack(bytes).toString()).toBe(LARGE);
  });

  it('says what has become of the answer', async () => {
    const { headers } = await get('/packed/text', ALL);
    expect(headers.get('content-length')).toBeNull();
    expect(headers.get('accept-ranges')).toBeNull();
    expect(headers.get('etag')).toBe('W/"v1"');
    expect(headers.get('vary')).toContain('Accept-Encoding');
  });

  it('leaves it as it is for who takes none, and says that it could be otherwise', async () => {
    const refusals: Record<string, string>[] = [
      {},
      { 'Accept-Encoding': 'identity' },
      { 'Accept-Encoding': 'gzip;q=0' },
    ];
    for (const headers of refusals) {
      const answer = await get('/packed/text', headers);
      expect(answer.bytes.toString()).toBe(LARGE);
      expect(answer.headers.get('etag')).toBe('"v1"');
      expect(answer.headers.get('vary')).toContain('Accept-Encoding');
    }
  });

  it.each(['/small', '/png', '/encoded', '/range', '/no-transform', '/events'])(
    'leaves %s alone',
    async (path) => {
      const { headers, bytes } = await get(`/packed${path}`, ALL);
      expect(headers.get('content-encoding')).toBe(path === '/encoded' ? 'identity' : null);
      expect(['br', 'gzip']).not.toContain(headers.get('content-encoding'));
      expect(bytes.length).toBeGreaterThan(0);
    },
  );

  it('passes on what has come, without waiting for the rest', async () => {
    using client = await RawClient.connect(Number(new URL(gateway.url).port));
    client.write('GET /packed/trickle HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n');
    const unpacked = createGunzip();
    const first = once(unpacked, 'data');
    await client.until('\r\n\r\n');
    let fed = 0;
    const feed = (): void => {
      const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
      const bytes = unchunk(Buffer.from(body, 'latin1'));
      unpacked.write(bytes.subarray(fed));
      fed = bytes.length;
    };
    client.socket.on('data', feed);
    feed();
    expect(String((await first)[0])).toBe('{"first":true}\n');
    held();
    expect(String((await once(unpacked, 'data'))[0])).toBe('{"last":true}\n');
  });

  it('does not make a whole answer of one that broke off', async () => {
    const text = 'GET /packed/broken HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n';
    const received = await RawClient.exchange(Number(new URL(gateway.url).port), text);
    expect(received).not.toContain('\r\n0\r\n\r\n');
  });

  it('sends HEAD no body, and the answer to it as it is', async () => {
    const { status, headers, bytes } = await get('/packed/text', ALL, 'HEAD');
    expect({ status, bytes: bytes.length }).toEqual({ status: 200, bytes: 0 });
    expect(headers.get('content-encoding')).toBeNull();
  });
});

describe('a route that does not compress', () => {
  it('passes answers on as they are', async () => {
    const { headers, bytes } = await get('/plain/json', ALL);
    expect(headers.get('content-encoding')).toBeNull();
    expect(JSON.parse(bytes.toString())).toEqual({ LARGE });
  });
});
