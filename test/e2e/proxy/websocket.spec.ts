import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { soak } from '../../support/soak.js';
import { portOf, StubUpstream } from '../../support/stub-upstream.js';

const UPGRADE =
  'GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: session=SECRET; a=1\r\nX-User-Email: eve@x\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

/** A WebSocket server that echoes. */
class EchoUpstream {
  readonly sockets: Socket[] = [];
  readonly #http: Server = createServer();

  static async start(): Promise<EchoUpstream> {
    const upstream = new EchoUpstream();
    const ws = new WebSocketServer({ server: upstream.#http });
    ws.on('connection', (client, req) => {
      upstream.sockets.push(req.socket);
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
    });
    upstream.#http.listen(0, '127.0.0.1');
    await once(upstream.#http, 'listening');
    return upstream;
  }

  get port(): number {
    return portOf(this.#http);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }
}

async function open(proxy: ProxyHarness): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/x`);
  await once(client, 'open');
  return client;
}

/** Sends numbered frames, a window of them at a time, and counts those that come back in order. */
async function exchangeFrames(client: WebSocket, frames: number): Promise<number> {
  let sent = 0;
  let next = 0;
  const send = (): void => {
    while (sent < frames && sent - next < 100) client.send(String(sent++));
  };
  const done = new Promise<number>((resolve) => {
    client.on('message', (data) => {
      if (Number(data) !== next) resolve(next);
      else if (++next === frames) resolve(next);
      else send();
    });
    client.on('close', () => resolve(next));
  });
  send();
  return await done;
}

describe('A WebSocket', () => {
  it('carries every frame, in order, over many connections at once', async () => {
    const connections = 200;
    const frames = soak(1_000_000, 20_000) / connections;
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream);
    const clients = await Promise.all(Array.from({ length: connections }, () => open(proxy)));
    const carried = await Promise.all(clients.map((client) => exchangeFrames(client, frames)));
    expect(carried).toEqual(clients.map(() => frames));
    for (const client of clients) client.terminate();
  }, 300_000);

  it('carries large messages', async () => {
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream);
    const client = await open(proxy);
    const message = Buffer.alloc(8 * 1024 * 1024, 'x');
    client.send(message);
    const echo: Buffer = (await once(client, 'message'))[0];
    expect(echo.equals(message)).toBe(true);
    client.terminate();
  });

  it('ends on both sides when either ends', async () => {
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream);
    const first = await open(proxy);
    first.terminate();
    await closedSocket(upstream.sockets[0]);
    const second = await open(proxy);
    upstream.sockets[1]?.destroy();
    await once(second, 'close');
    await proxy.close(1000);
    expect(proxy.live.size).toBe(0);
  });
});

describe('The handshake', () => {
  it('meets the same header rules as every request', async () => {
    await using upstream = await StubUpstream.start(
      `${SWITCHING}Set-Cookie: session=EVIL\r\nSet-Cookie: io=1\r\nAlt-Svc: h3\r\n\r\nframe`,
    );
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(`${UPGRADE}\r\n`);
    const answer = await client.until('frame');
    expect(statusOf(answer)).toBe(101);
    expect(answer).not.toMatch(/EVIL|alt-svc/i);
    expect(answer).toMatch(/set-cookie: io=1/i);
    expect(answer).toMatch(/x-request-id: /i);
    expect(upstream.received).toContain('GET /socket.io/?EIO=4 HTTP/1.1');
    expect(upstream.received).not.toMatch(/SECRET|eve@x/);
    expect(upstream.received).toMatch(/x-user-email: ada@example\.com/i);
    expect(upstream.received).toMatch(/upgrade: websocket/i);
  });

  it('passes on a refusal of the upstream, and the rules hold for that too', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 403 N\xf6\r\nSet-Cookie: session=EVIL\r\nContent-Length: 2\r\n\r\nno',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer).not.toContain('EVIL');
    expect(answer.endsWith('\r\n\r\nno')).toBe(true);
  });

  it('an answer of another transfer coding is a bad gateway', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(statusOf(answer)).toBe(502);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(answer.endsWith('}')).toBe(true);
  });

  it.each([
    ['another protocol', 'Connection: Upgrade\r\nUpgrade: foo\r\n'],
    ['two protocols', 'Connection: Upgrade\r\nUpgrade: foo, websocket\r\n'],
    ['a protocol it does not name', ''],
    ['a protocol, without saying so in Connection', 'Upgrade: websocket\r\n'],
  ])('an answer that switches to %s is a bad gateway', async (_what, lines) => {
    await using upstream = await StubUpstream.start(`HTTP/1.1 101 x\r\n${lines}\r\nsmuggled`);
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(statusOf(answer)).toBe(502);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(answer).not.toContain('smuggled');
    await (
      await upstream.connection()
    ).closed;
    expect(proxy.outcomes).toEqual(['BAD_GATEWAY']);
  });

  it('a refusal bears our version of HTTP and a date, whatever the upstream’s lacks', async () => {
    await using upstream = await StubUpstream.start('HTTP/1.0 403 x\r\nContent-Length: 2\r\n\r\nno');
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer).toMatch(/\r\ndate: .* GMT\r\n/i);
  });

  it('a refusal that asks for an upgrade says for which one', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 426 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
    expect(answer).toMatch(/\r\nupgrade: websocket\r\n/i);
    expect(answer).toMatch(/\r\nconnection: .*upgrade\r\n/i);
  });

  it('asks for no trailers: there is nowhere to put them', async () => {
    await using upstream = await StubUpstream.start(`${SWITCHING}\r\n`);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(`${UPGRADE}TE: trailers\r\n\r\n`);
    await client.until('\r\n\r\n');
    expect(upstream.received).not.toMatch(/\r\nte:/i);
  });

  it('is refused to a user who has as many sockets open as one may have', async () => {
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream, { maxSocketsPerOwner: 1 });
    const first = await open(proxy);
    const refusal = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(statusOf(refusal)).toBe(503);
    expect(refusal).toContain('"SLICE_BUSY"');
    upstream.sockets[0]?.destroy();
    await once(first, 'close');
    const second = await open(proxy);
    second.terminate();
  });

  it('is 502 where nobody listens', async () => {
    const upstream = await StubUpstream.start('');
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using proxy = await ProxyHarness.start({ port });
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(statusOf(answer)).toBe(502);
    expect(answer).toContain('"code":"BAD_GATEWAY"');
    expect(proxy.outcomes).toEqual(['BAD_GATEWAY']);
  });

  it('is 504 where the upstream does not answer in time', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream, { upgradeTimeoutMs: 100 });
    const answer = await RawClient.exchange(proxy.port, `${UPGRADE}\r\n`);
    expect(statusOf(answer)).toBe(504);
    await (
      await upstream.connection()
    ).closed;
  });
});

describe('Ending WebSockets from the gateway', () => {
  it('a logout closes those of the session, and no others, within a second', async () => {
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream);
    const client = await open(proxy);
    proxy.live.closeSession('another');
    proxy.live.closeUser('another');
    expect(await exchangeFrames(client, 3)).toBe(3);
    const start = performance.now();
    const closed = once(client, 'close');
    proxy.live.closeSession('session-1');
    expect((await closed)[0]).toBe(1008);
    await closedSocket(upstream.sockets[0]);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('a client that ignores the close frame is cut within a second', async () => {
    await using upstream = await StubUpstream.start(`${SWITCHING}\r\n`);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(`${UPGRADE}\r\n`);
    await client.until('\r\n\r\n');
    client.received = '';
    const start = performance.now();
    proxy.live.closeUser('user-1');
    await client.until('\x88\x02\x03\xf0');
    await client.closed;
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('in the middle of a message no frame is put in: the socket is cut', async () => {
    await using upstream = await StubUpstream.start(`${SWITCHING}\r\n\x81\x05hel`);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(`${UPGRADE}\r\n`);
    await client.until('\x81\x05hel');
    proxy.live.closeUser('user-1');
    await client.closed;
    expect(client.received.endsWith('\x81\x05hel')).toBe(true);
  });

  it('a stop of the gateway tells every client that it goes away', async () => {
    await using upstream = await EchoUpstream.start();
    await using proxy = await ProxyHarness.start(upstream);
    const clients = await Promise.all([open(proxy), open(proxy)]);
    const codes = clients.map((client) => once(client, 'close').then(([code]: number[]) => code));
    await proxy.close(10_000);
    expect(await Promise.all(codes)).toEqual([1001, 1001]);
  });
});

async function closedSocket(socket: Socket | undefined): Promise<void> {
  if (socket !== undefined && !socket.closed) await once(socket, 'close');
}
