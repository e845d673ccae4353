import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { PassThrough } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_CONNECTION_OPTIONS } from '../../../libs/proxy/src/client/connection-options.js';
import { UpstreamClient } from '../../../libs/proxy/src/client/upstream-client.js';
import { UpstreamConnection } from '../../../libs/proxy/src/client/upstream-connection.js';
import { UpstreamRequest } from '../../../libs/proxy/src/client/upstream-request.js';
import { upstreamError } from '../../../libs/proxy/src/forward/upstream-error.js';
import { eventually } from '../../support/eventually.js';
import { selfSigned } from '../../support/self-signed.js';
import { portOf, StubUpstream } from '../../support/stub-upstream.js';
import { UpstreamExchange } from '../../support/upstream-exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const HAS_IPV6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);

let client: UpstreamClient;

beforeEach(() => {
  // No sweep: what is closed is closed by what is said here.
  client = new UpstreamClient({ sweepMs: 600_000 });
});

afterEach(async () => {
  await client.destroy();
});

function originOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`;
}

describe('A connection to an upstream', () => {
  it('serves one request after the other', async () => {
    await using upstream = await StubUpstream.start(OK);
    for (let i = 0; i < 5; i++) {
      expect(await UpstreamExchange.of(client, originOf(upstream)).answer).toMatchObject({
        status: 200,
        body: 'ok',
      });
    }
    expect(upstream.connections).toHaveLength(1);
  });

  it('serves one request at a time', async () => {
    await using upstream = await StubUpstream.start(OK);
    const asked = [1, 2, 3].map(() => UpstreamExchange.of(client, originOf(upstream)).answer);
    await Promise.all(asked);
    expect(upstream.connections).toHaveLength(3);
  });

  it('that served last serves next, so that the others get the time to go', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    const asked = new Map(
      ['/one', '/two'].map((path) => [path, UpstreamExchange.of(client, originOf(upstream), { path })]),
    );
    await eventually(async () =>
      expect(upstream.connections.map(({ received }) => received)).toEqual([
        expect.stringContaining('GET /'),
        expect.stringContaining('GET /'),
      ]),
    );
    for (const path of ['/two', '/one']) {
      const connection = upstream.connections.find(({ received }) => received.includes(path));
      connection?.write(OK);
      await asked.get(path)?.answer;
    }
    UpstreamExchange.of(client, originOf(upstream), { path: '/three' });
    const last = upstream.connections.find(({ received }) => received.includes('/one'));
    await last?.until('/three');
    expect(upstream.connections).toHaveLength(2);
  });

  it('that the upstream closes meanwhile serves no more', async () => {
    await using upstream = await StubUpstream.start(OK);
    await UpstreamExchange.of(client, originOf(upstream)).answer;
    const [first] = upstream.connections;
    first?.socket.end();
    await first?.closed;
    expect(await UpstreamExchange.of(client, originOf(upstream)).answer).toMatchObject({ body: 'ok' });
    expect(upstream.connections).toHaveLength(2);
  });

  it.each([
    ['an answer that says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['an answer of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['an answer with bytes behind', `${OK}x`],
    ['an answer with another behind', OK + OK],
    ['an upstream that keeps it for 0 s', OK.replace('\r\n', '\r\nKeep-Alive: timeout=0\r\n')],
    [
      'an upstream that keeps it for 1 s, which may be over when a request arrives',
      OK.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n'),
    ],
  ])('is closed at once behind %s', async (_what, answer) => {
    await using upstream = await StubUpstream.start(answer);
    expect(await UpstreamExchange.of(client, originOf(upstream)).answer).toMatchObject({
      status: 200,
      body: 'ok',
    });
    await upstream.connections[0]?.closed;
    expect(await UpstreamExchange.of(client, originOf(upstream)).answer).toMatchObject({
      status: 200,
      body: 'ok',
    });
    expect(upstream.connections).toHaveLength(2);
  });

  it('is closed by bytes that nobody asked for', async () => {
    await using upstream = await StubUpstream.start(OK);
    await UpstreamExchange.of(client, originOf(upstream)).answer;
    upstream.connections[0]?.write(OK);
    await upstream.connections[0]?.closed;
  });

  it('is closed where the answer came before the end of the request', async () => {
    await using upstream = await StubUpstream.start(OK);
    const body = new PassThrough();
    body.write('abc');
    const exchange = UpstreamExchange.of(client, originOf(upstream), { method: 'POST', body });
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
    await upstream.connections[0]?.closed;
    expect(body.listenerCount('data')).toBe(0);
  });

  it('serves the next one although its reader stopped at the last piece', async () => {
    await using upstream = await StubUpstream.start(OK);
    const paused = UpstreamExchange.of(
      client,
      originOf(upstream),
      {},
      { onData: (_bytes, exchange) => exchange.pause() },
    );
    await paused.answer;
    paused.resume();
    expect(await UpstreamExchange.of(client, originOf(upstream), { timeoutMs: 2_000 }).answer).toMatchObject({
      body: 'ok',
    });
    expect(upstream.connections).toHaveLength(1);
  });

  it('says to the upstream what is in the request, and no more', async () => {
    await using upstream = await StubUpstream.start(OK);
    const chunked = new PassThrough();
    const counted = new PassThrough();
    chunked.end('abc');
    counted.end('abc');
    await UpstreamExchange.of(client, originOf(upstream), { method: 'POST', body: chunked }).answer;
    const headers = ['Host', 'a', 'Content-Length', '3'];
    await UpstreamExchange.of(client, originOf(upstream), { method: 'PUT', headers, body: counted }).answer;
    const head = 'HTTP/1.1\r\nHost: a\r\n';
    expect(upstream.received).toBe(
      `POST / ${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nPUT / ${head}Content-Length: 3\r\n\r\nabc`,
    );
  });
});

describe('Without a request a connection is kept', () => {
  it.each([
    ['for 4 s where the upstream does not say', '', 4_000],
    ['for a second less than the upstream says', 'Keep-Alive: timeout=5\r\n', 4_000],
    ['for longer where the upstream says so', 'Keep-Alive: timeout=75, max=100\r\n', 74_000],
    ['for ten minutes at most', 'Keep-Alive: timeout=86400\r\n', 599_000],
  ])('%s', async (_what, line, ms) => {
    await using upstream = await StubUpstream.start(OK.replace('\r\n', `\r\n${line}`));
    const released = Promise.withResolvers<void>();
    const owner = { released: () => released.resolve(), closed: () => undefined };
    const request = new UpstreamRequest(
      { method: 'GET', path: '/', headers: [], body: null, timeoutMs: 30_000 },
      'a',
    );
    const address = { host: '127.0.0.1', port: upstream.port, tls: false };
    const before = performance.now();
    const connection = new UpstreamConnection(
      address,
      DEFAULT_CONNECTION_OPTIONS,
      owner,
      request,
      new UpstreamExchange(),
    );
    await released.promise;
    expect(connection.isStale(before + ms - 1)).toBe(false);
    expect(connection.isStale(performance.now() + ms)).toBe(true);
    await connection.destroy(null);
  });

  it('and closed when that is over, with nothing left of its upstream', async () => {
    client = new UpstreamClient({ keepAliveMs: 30, sweepMs: 10 });
    await using upstream = await StubUpstream.start(OK);
    await UpstreamExchange.of(client, originOf(upstream)).answer;
    expect(client.origins).toEqual([originOf(upstream)]);
    await upstream.connections[0]?.closed;
    await eventually(async () => expect(client.origins).toEqual([]));
  });

  it('by no timer that keeps the process alive', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    const before = timers();
    const exchange = UpstreamExchange.of(client, originOf(upstream));
    await exchange.started;
    expect(timers()).toBe(before);
    (await upstream.connection()).write(OK);
    await exchange.answer;
    expect(timers()).toBe(before);
  });
});

describe('An upstream', () => {
  it('behind https is spoken to where its certificate is vouched for', async () => {
    const { key, cert } = await selfSigned('IP:127.0.0.1');
    client = new UpstreamClient({ tls: { ca: cert } });
    const server = createTlsServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () =>
          socket.write(`${OK.slice(0, -2)}${socket.alpnProtocol === 'http/1.1' ? 'ok' : '??'}`),
        );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (let i = 0; i < 2; i++) {
      expect(await UpstreamExchange.of(client, `https://127.0.0.1:${portOf(server)}`).answer).toMatchObject({
        body: 'ok',
      });
    }
    expect(await closing(client, server)).toBe(1);
  });

  it.each([
    ['that nobody vouches for', 'IP:127.0.0.1', false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of another name', 'elsewhere.example.com', true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])(
    'behind https with a certificate %s is sent nothing, and is a bad gateway',
    async (_what, name, vouched, code) => {
      const { key, cert } = await selfSigned(name);
      if (vouched) client = new UpstreamClient({ tls: { ca: cert } });
      let received = 0;
      const server = createTlsServer({ key, cert }, (socket) => {
        socket.on('error', () => undefined).on('data', ({ length }) => (received += length));
      }).listen(0, '127.0.0.1');
      server.on('tlsClientError', () => undefined);
      await once(server, 'listening');
      const exchange = UpstreamExchange.of(client, `https://127.0.0.1:${portOf(server)}`);
      const cause: unknown = await exchange.answer.catch((error: unknown) => error);
      expect(cause).toMatchObject({ code });
      expect(upstreamError(cause).code).toBe('BAD_GATEWAY');
      expect(exchange.heard).toEqual(['error']);
      await closing(client, server);
      expect(received).toBe(0);
    },
  );

  it.each([
    ...(HAS_IPV6 ? [['an IPv6 address', '::1', '[::1]']] : []),
    ['a name that has another address as well', '127.0.0.1', 'localhost'],
  ])('may be %s', async (_what, address = '', host = '') => {
    let received = '';
    const server = createTcpServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (bytes) => {
          received += bytes.toString('latin1');
          socket.write(OK);
        });
    }).listen(0, address);
    await once(server, 'listening');
    const exchange = UpstreamExchange.of(client, `http://${host}:${portOf(server)}`, { headers: [] });
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
    expect(received).toContain(`\r\nhost: ${host}:${portOf(server)}\r\n`);
    await closing(client, server);
  });

  it('that nobody listens for is an error of the system, before anything was sent', async () => {
    const upstream = await StubUpstream.start(OK);
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    const exchange = UpstreamExchange.of(client, originOf({ port }));
    await expect(exchange.answer).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(exchange.heard).toEqual(['error']);
    await eventually(async () => expect(client.origins).toEqual([]));
  });
});

/** Those that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** @returns how many connections were open until now */
async function closing(
  open: UpstreamClient,
  server: { getConnections(done: (error: Error | null, count: number) => void): unknown; close(): unknown },
): Promise<number> {
  const count = await new Promise<number>((resolve) =>
    server.getConnections((_error, found) => resolve(found)),
  );
  await open.destroy();
  server.close();
  return count;
}
