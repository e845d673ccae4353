import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UpstreamClient } from '../../../libs/proxy/src/client/upstream-client.js';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { soak } from '../../support/soak.js';
import { portOf, type StubConnection, StubUpstream } from '../../support/stub-upstream.js';
import { UpstreamExchange } from '../../support/upstream-exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const MB = 1_000_000;
const LARGE = soak(1_000, 100) * MB;
/** More than the kernel holds for a connection on both sides. */
const IN_FLIGHT = 32 * MB;

let client: UpstreamClient;
let silent: StubUpstream;

beforeEach(async () => {
  // Nothing closes a connection but what is said here.
  client = new UpstreamClient({ sweepMs: 600_000 });
  silent = await StubUpstream.start(() => undefined);
});

afterEach(async () => {
  await client.destroy();
  await silent[Symbol.asyncDispose]();
});

function originOf({ port }: StubUpstream): string {
  return `http://127.0.0.1:${port}`;
}

/** Long enough for all that can happen without being read: a request that gets no answer. */
async function muchLater(): Promise<void> {
  await UpstreamExchange.of(client, originOf(silent), { timeoutMs: 300 }).answer.catch(() => undefined);
}

/** Writes as fast as it is read. */
async function pour(connection: StubConnection, bytes: number): Promise<void> {
  const piece = Buffer.alloc(MB, 'x');
  for (let left = bytes; left > 0 && !connection.socket.destroyed; left -= MB) {
    if (!connection.socket.write(piece))
      await Promise.race([once(connection.socket, 'drain'), connection.closed]);
  }
}

describe('An answer', () => {
  it('is read no faster than it is taken, and then whole', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
      await pour(connection, LARGE);
    });
    let pauses = 0;
    const exchange = UpstreamExchange.of(
      client,
      originOf(upstream),
      {},
      {
        onData: (_bytes, taking) => {
          taking.pause();
          if (pauses++ > 0) setImmediate(() => taking.resume());
        },
      },
    );
    await exchange.firstData;
    const { received } = exchange;
    await muchLater();
    expect(exchange.received).toBe(received);
    expect(upstream.connections[0]?.socket.bytesWritten).toBeLessThan(IN_FLIGHT);
    exchange.resume();
    await exchange.answer;
    expect(exchange.received).toBe(LARGE);
  }, 120_000);

  it('ends by its connection only once all of it is taken', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 200 OK\r\n\r\n');
      await pour(connection, 5 * MB);
      connection.socket.end();
    });
    const exchange = UpstreamExchange.of(
      client,
      originOf(upstream),
      {},
      {
        onData: (bytes, taking) => {
          if (taking.received === bytes.length) taking.pause();
        },
      },
    );
    await exchange.firstData;
    await muchLater();
    expect(exchange.heard).not.toContain('end');
    exchange.resume();
    await exchange.answer;
    expect(exchange.received).toBe(5 * MB);
  });

  it('that its handler can’t take is an error, and the end of the connection', async () => {
    await using upstream = await StubUpstream.start(OK);
    const cause = new Error('not to be taken');
    const fail = (): never => {
      throw cause;
    };
    for (const hooks of [{ onHead: fail }, { onData: fail }]) {
      const exchange = UpstreamExchange.of(client, originOf(upstream), {}, hooks);
      await expect(exchange.answer).rejects.toBe(cause);
      await upstream.connections.at(-1)?.closed;
    }
  });
});

describe('A request', () => {
  it('is read no faster than the upstream takes it, and then whole', async () => {
    await using upstream = await StubUpstream.start(({ socket }) => void socket.pause());
    let produced = 0;
    const body = new Readable({
      read() {
        produced += MB;
        this.push(produced > LARGE ? null : Buffer.alloc(MB));
      },
    });
    const headers = ['Host', 'a', 'Content-Length', String(LARGE)];
    const exchange = UpstreamExchange.of(client, originOf(upstream), { method: 'PUT', headers, body });
    const connection = await upstream.connection();
    await muchLater();
    expect(produced).toBeLessThan(IN_FLIGHT);
    // From here on only the count matters.
    let received = 0;
    connection.socket.removeAllListeners('data').on('data', ({ length }: Buffer) => {
      received += length;
      if (received > LARGE) connection.write(OK);
    });
    connection.socket.resume();
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
  }, 120_000);
});

describe('An exchange that is aborted', () => {
  it('before it is sent sends nothing, and leaves the connection to the next', async () => {
    await using upstream = await StubUpstream.start(OK);
    const hooks = { onStart: (_: unknown, exchange: UpstreamExchange) => exchange.abort() };
    const body = new PassThrough();
    const before = UpstreamExchange.of(client, originOf(upstream), { path: '/no' }, hooks);
    await before.started;
    await UpstreamExchange.of(client, originOf(upstream), { path: '/yes' }).answer;
    const between = UpstreamExchange.of(
      client,
      originOf(upstream),
      { method: 'POST', path: '/no', body },
      hooks,
    );
    await between.started;
    await UpstreamExchange.of(client, originOf(upstream), { path: '/also' }).answer;
    expect(upstream.received).not.toContain('/no');
    expect(upstream.connections).toHaveLength(1);
    expect([before.heard, between.heard]).toEqual([['start'], ['start']]);
  });

  it('during its upload closes the connection, and reads no more of the body', async () => {
    const body = new PassThrough();
    body.write('abc');
    const exchange = UpstreamExchange.of(client, originOf(silent), { method: 'POST', body });
    await (await silent.connection()).until('abc');
    exchange.abort();
    await silent.connections[0]?.closed;
    expect(exchange.heard).toEqual(['start']);
    expect(body.listenerCount('data')).toBe(0);
  });

  it.each(['onHead', 'onData'] as const)(
    'by %s hears no more, not even of what is there already',
    async (hook) => {
      await using upstream = await StubUpstream.start(OK);
      const hooks = { [hook]: (_: unknown, exchange: UpstreamExchange) => exchange.abort() };
      const exchange = UpstreamExchange.of(client, originOf(upstream), {}, hooks);
      await upstream.connection();
      await upstream.connections[0]?.closed;
      expect(exchange.heard).toEqual(hook === 'onHead' ? ['start', 'head'] : ['start', 'head', 'data']);
    },
  );

  it('by the head of an answer without a body is aborted once', async () => {
    await using upstream = await StubUpstream.start('HTTP/1.1 204 x\r\n\r\n');
    const hooks = { onHead: (_: unknown, exchange: UpstreamExchange) => exchange.abort() };
    UpstreamExchange.of(client, originOf(upstream), {}, hooks);
    await upstream.connection();
    await upstream.connections[0]?.closed;
    for (let i = 0; i < 2; i++) {
      expect(await UpstreamExchange.of(client, originOf(upstream)).answer).toMatchObject({ status: 204 });
    }
    expect(upstream.connections).toHaveLength(2);
  });
});

describe('A client that is destroyed', () => {
  it('fails what is in flight, and is done once its connections are closed', async () => {
    await using upstream = await StubUpstream.start(OK);
    await UpstreamExchange.of(client, originOf(upstream)).answer;
    const waiting = UpstreamExchange.of(client, originOf(silent));
    const connecting = UpstreamExchange.of(client, `https://127.0.0.1:${silent.port}`);
    await waiting.started;
    await client.destroy();
    const closed = { code: 'UPSTREAM_CLOSED' };
    await expect(waiting.answer).rejects.toMatchObject(closed);
    await expect(connecting.answer).rejects.toMatchObject(closed);
    expect(client.origins).toEqual([]);
    await Promise.all(
      [...upstream.connections, ...silent.connections].map((connection) => connection.closed),
    );
    await expect(UpstreamExchange.of(client, originOf(upstream)).answer).rejects.toMatchObject(closed);
  });
});

describe('Answers that arrive in turns, into the same memory,', () => {
  const LETTERS = ['A', 'B', 'C', 'D'];
  const SIZE = soak(50, 4) * MB;
  let server: Server;

  beforeEach(async () => {
    server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const letter = req.url?.at(1) ?? '';
    res.setHeader('content-type', 'text/plain');
    if (req.url?.endsWith('length') === true) res.setHeader('content-length', SIZE);
    let left = SIZE;
    // Pieces of many sizes, small ones as well.
    for (let i = 1; left > 0; i++) {
      const piece = Math.min(left, (i * 7_919) % 90_001);
      left -= piece;
      if (!res.write(Buffer.alloc(piece, letter))) await once(res, 'drain');
      await turn();
    }
    res.end();
  }

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it.each([
    ['of a length', 'length', false],
    ['in chunks', 'chunks', false],
    ['that are compressed on their way', 'chunks', true],
  ])(
    'each reach their own client, however slow it reads: %s',
    async (_what, framing, compress) => {
      await using proxy = await ProxyHarness.start({ port: portOf(server) }, { compress });
      const bodies = LETTERS.map(async (letter, i) => {
        const headers: Record<string, string> = compress ? { 'accept-encoding': 'gzip' } : {};
        const asked = request(`${proxy.url}/${letter}/${framing}`, { headers, agent: false }).end();
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        expect(response.headers['content-encoding']).toBe(compress ? 'gzip' : undefined);
        let size = 0;
        for await (const bytes of compress ? response.pipe(createGunzip()) : response) {
          expect((bytes as Buffer).every((byte) => byte === letter.charCodeAt(0))).toBe(true);
          size += (bytes as Buffer).length;
          for (let turns = 0; turns < i * 3; turns++) await turn();
        }
        return size;
      });
      expect(await Promise.all(bodies)).toEqual(LETTERS.map(() => SIZE));
    },
    120_000,
  );
});
