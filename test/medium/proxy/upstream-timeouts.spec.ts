import { Readable, PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UpstreamClient } from '../../../libs/proxy/src/client/upstream-client.js';
import { upstreamError } from '../../../libs/proxy/src/forward/upstream-error.js';
import { type Script, StubUpstream } from '../../support/stub-upstream.js';
import { UpstreamExchange } from '../../support/upstream-exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const TIMEOUT_MS = 80;
const LATE = { code: 'UPSTREAM_HEAD_TIMEOUT' };

let client: UpstreamClient;
let silent: StubUpstream;

beforeEach(async () => {
  client = new UpstreamClient();
  silent = await StubUpstream.start(() => undefined);
});

afterEach(async () => {
  await client.destroy();
  await silent[Symbol.asyncDispose]();
});

function originOf({ port }: StubUpstream): string {
  return `http://127.0.0.1:${port}`;
}

/** Three times as long as an upstream has, by a request that gets no answer in that time. */
async function muchLater(): Promise<void> {
  const exchange = UpstreamExchange.of(client, originOf(silent), { timeoutMs: 3 * TIMEOUT_MS });
  await expect(exchange.answer).rejects.toMatchObject(LATE);
}

function post(upstream: StubUpstream, body: Readable): UpstreamExchange {
  return UpstreamExchange.of(client, originOf(upstream), { method: 'POST', body, timeoutMs: TIMEOUT_MS });
}

/** Answers once the last chunk has come. */
const AFTER_THE_BODY: Script = async (connection) => {
  await connection.until('\r\n0\r\n\r\n');
  connection.write(OK);
};

describe('An upstream that takes no connection', () => {
  it('is given up after the time for that, TLS included, before anything was sent', async () => {
    client = new UpstreamClient({ connectTimeoutMs: TIMEOUT_MS });
    // It takes the connection of TCP, and says nothing to the beginning of TLS.
    const exchange = UpstreamExchange.of(client, `https://127.0.0.1:${silent.port}`);
    const cause: unknown = await exchange.answer.catch((error: unknown) => error);
    expect(cause).toMatchObject({ code: 'UPSTREAM_CONNECT_TIMEOUT' });
    expect(upstreamError(cause).code).toBe('GATEWAY_TIMEOUT');
    expect(exchange.heard).toEqual(['error']);
    await silent.connections[0]?.closed;
  });
});

describe('The time for an answer', () => {
  it('ends the wait, and the connection', async () => {
    const from = performance.now();
    const exchange = UpstreamExchange.of(client, originOf(silent), { timeoutMs: TIMEOUT_MS });
    const cause: unknown = await exchange.answer.catch((error: unknown) => error);
    expect(performance.now() - from).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
    expect(cause).toMatchObject(LATE);
    expect(upstreamError(cause).code).toBe('GATEWAY_TIMEOUT');
    await silent.connections[0]?.closed;
  });

  it('is each request’s own, whatever the one before had', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.nextHead();
      connection.write(OK);
    });
    await UpstreamExchange.of(client, originOf(upstream), { timeoutMs: 600_000 }).answer;
    const from = performance.now();
    const exchange = UpstreamExchange.of(client, originOf(upstream), { timeoutMs: TIMEOUT_MS });
    await expect(exchange.answer).rejects.toMatchObject(LATE);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(upstream.connections).toHaveLength(1);
  });

  it('is no longer for interim answers', async () => {
    await using upstream = await StubUpstream.start((connection) => {
      const saying = setInterval(() => connection.write('HTTP/1.1 102 x\r\n\r\n'), TIMEOUT_MS / 8);
      void connection.closed.then(() => clearInterval(saying));
    });
    const from = performance.now();
    const exchange = UpstreamExchange.of(client, originOf(upstream), { timeoutMs: TIMEOUT_MS });
    await expect(exchange.answer).rejects.toMatchObject(LATE);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(exchange.statuses).toContain(102);
  });

  it('is over once the answer has begun', async () => {
    await using upstream = await StubUpstream.start((connection) => connection.write(OK.slice(0, -1)));
    const exchange = UpstreamExchange.of(client, originOf(upstream), { timeoutMs: TIMEOUT_MS });
    await muchLater();
    (await upstream.connection()).write('k');
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
  });

  it('is not over while only a part of the head is there', async () => {
    await using upstream = await StubUpstream.start((connection) => connection.write('HTTP/1.1 200'));
    const exchange = UpstreamExchange.of(client, originOf(upstream), { timeoutMs: TIMEOUT_MS });
    await expect(exchange.answer).rejects.toMatchObject(LATE);
  });
});

describe('During an upload the time for an answer', () => {
  it('does not run while the upstream reads', async () => {
    await using upstream = await StubUpstream.start(AFTER_THE_BODY);
    const until = performance.now() + 3 * TIMEOUT_MS;
    async function* pieces(): AsyncGenerator<Buffer> {
      while (performance.now() < until) {
        yield Buffer.alloc(100);
        await turn();
      }
    }
    expect(await post(upstream, Readable.from(pieces())).answer).toMatchObject({ body: 'ok' });
  });

  it('does not run while it is the client that sends nothing', async () => {
    await using upstream = await StubUpstream.start(AFTER_THE_BODY);
    const body = new PassThrough();
    body.write('abc');
    const exchange = post(upstream, body);
    await muchLater();
    body.end();
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
  });

  it('runs from the end of the request', async () => {
    const body = new PassThrough();
    body.write('abc');
    const exchange = post(silent, body);
    await muchLater();
    const from = performance.now();
    body.end();
    await expect(exchange.answer).rejects.toMatchObject(LATE);
    expect(performance.now() - from).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
  });

  it('runs while the upstream takes nothing, of which no more is read than the kernel holds', async () => {
    await using upstream = await StubUpstream.start(({ socket }) => void socket.pause());
    let produced = 0;
    const body = new Readable({
      read() {
        produced += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    await expect(post(upstream, body).answer).rejects.toMatchObject(LATE);
    expect(produced).toBeLessThan(32_000_000);
    expect(body.listenerCount('data')).toBe(0);
  });

  it('does not run on in an answer that began before the request ended', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write(OK.slice(0, -2));
      await connection.until('\r\n0\r\n\r\n');
      connection.write('o');
    });
    const body = new PassThrough();
    const exchange = post(upstream, body);
    await exchange.begun;
    body.end('abc');
    await exchange.firstData;
    await muchLater();
    (await upstream.connection()).write('k');
    expect(await exchange.answer).toMatchObject({ body: 'ok' });
  });
});
