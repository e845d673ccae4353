import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient } from '../../support/raw-client.js';
import { StubUpstream, type StubConnection } from '../../support/stub-upstream.js';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE =
  'GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';
const IDLE_MS = 300;
const MIB = 1024 * 1024;
const BLOCK = Buffer.alloc(64 * 1024, 'x');
const limits = { downloadIdleMs: IDLE_MS };

function* blocks(): Generator<Buffer> {
  for (;;) yield BLOCK;
}

/** Answers every connection by this, and without end by more of it. */
function endless(head: string) {
  return async (connection: StubConnection): Promise<void> => {
    await connection.head();
    connection.write(head);
    await pipeline(Readable.from(blocks(), { objectMode: false }), connection.socket).catch(() => undefined);
  };
}

/** A client that asks, and then reads nothing. */
async function deafClient(proxy: ProxyHarness, request: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  client.socket.pause();
  client.write(request);
  return client;
}

/** Takes as long as it does to cut a client that reads nothing. */
async function cutOne(request: string, head: string): Promise<ProxyHarness> {
  await using upstream = await StubUpstream.start(endless(head));
  await using proxy = await ProxyHarness.start(upstream, { limits });
  using client = await deafClient(proxy, request);
  const connection = await upstream.connection();
  await connection.closed;
  expect(client.received).toBe('');
  return proxy;
}

describe('An answer that its client does not take', () => {
  it('is cut, and its upstream let go', async () => {
    expect((await cutOne(GET, STREAM)).outcomes).toEqual(['CLIENT_CLOSED_REQUEST']);
  });

  it('is cut as well where it is a WebSocket', async () => {
    expect((await cutOne(UPGRADE, SWITCHING)).live.size).toBe(0);
  });

  it('goes on as long as some of it is taken, however slowly', async () => {
    const body = Buffer.alloc(8 * MIB, 'x');
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      connection.socket.write(body);
    });
    await using proxy = await ProxyHarness.start(upstream, { limits });
    using client = await deafClient(proxy, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const begun = performance.now();
    const sips = setInterval(() => client.socket.resume(), IDLE_MS / 30);
    client.socket.on('data', () => client.socket.pause());
    await client.closed;
    clearInterval(sips);
    expect(client.received.length).toBeGreaterThan(body.length);
    expect(performance.now() - begun).toBeGreaterThan(3 * IDLE_MS);
    expect(await proxy.outcome()).toBeNull();
  });
});

describe('A connection without news', () => {
  it('is not cut, be it an event stream or a WebSocket', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      const head = await connection.head();
      connection.write(head.includes('/live') ? SWITCHING : `${STREAM}data: 1\n\n`);
    });
    await using proxy = await ProxyHarness.start(upstream, { limits });
    using events = await RawClient.connect(proxy.port);
    events.write(GET);
    await events.until('data: 1');
    using socket = await RawClient.connect(proxy.port);
    socket.write(UPGRADE);
    await socket.until('\r\n\r\n');
    // Twice as long as it takes to cut one that does not read.
    await cutOne(GET, STREAM);
    await cutOne(GET, STREAM);
    const [first, second] = upstream.connections;
    first?.write('data: 2\n\n');
    await events.until('data: 2');
    second?.write('frame');
    await socket.until('frame');
  });

  it('is closed between two requests, after the time for that', async () => {
    await using upstream = await StubUpstream.start('HTTP/1.1 204 No Content\r\n\r\n');
    await using proxy = await ProxyHarness.start(upstream, { limits: { keepAliveMs: 50 } });
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1\.1 204 /);
  });

  it('is answered by 408 where its request does not arrive', async () => {
    await using upstream = await StubUpstream.start('');
    await using proxy = await ProxyHarness.start(upstream, { limits: { headersMs: 50, headersCheckMs: 20 } });
    const answer = await RawClient.exchange(proxy.port, 'GET /x HTTP/1.1\r\nHost: a\r\nX-A: b');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"REQUEST_TIMEOUT"');
  });
});
