import { describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { StubUpstream } from '../../support/stub-upstream.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_AND_CLOSE = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('A client that goes away', () => {
  it('aborts the upstream request, and is nobody’s failure', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    const connection = await upstream.connection();
    await connection.head();
    client.socket.destroy();
    await connection.closed;
    expect(await proxy.outcome()).toBe('CLIENT_CLOSED_REQUEST');
    expect(upstream.connections).toHaveLength(1);
  });

  it('ends an endless answer', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    });
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    await client.until('data: 1');
    client.socket.destroy();
    await (
      await upstream.connection()
    ).closed;
    expect(await proxy.outcome()).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('in the middle of an upload aborts it', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    const connection = await upstream.connection();
    await connection.until('half');
    client.socket.destroy();
    await connection.closed;
    expect(await proxy.outcome()).toBe('CLIENT_CLOSED_REQUEST');
    expect(proxy.forwarder.inFlight(`http://127.0.0.1:${upstream.port}`)).toBe(0);
  });
});

describe('Expect: 100-continue', () => {
  const POST =
    'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';

  it('is answered by the gateway once the upstream is there, and not forwarded', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.until('body');
      connection.write(OK);
    });
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(POST);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('body');
    expect(await client.until('\r\n\r\nok')).toContain('HTTP/1.1 200 OK');
    expect(upstream.received.toLowerCase()).not.toContain('expect');
  });

  it('gets the error at once where the upstream can not be reached', async () => {
    const upstream = await StubUpstream.start('');
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using proxy = await ProxyHarness.start({ port });
    const answer = await RawClient.exchange(proxy.port, POST);
    expect(statusOf(answer)).toBe(502);
    expect(answer).not.toContain('100 Continue');
  });
});

describe('Interim answers and trailers', () => {
  it('passes 103 on, before the final answer', async () => {
    await using upstream = await StubUpstream.start(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}`,
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(answer).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i,
    );
  });

  it('passes trailers on, without those that would change what came before', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\n' +
        'X-Sum: 42\r\nSet-Cookie: session=x\r\nX-Frame-Options: ALLOW\r\nExpires: 0\r\nVary: *\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(answer).toContain('trailer: X-Sum');
    expect(answer.endsWith('0\r\nx-sum: 42\r\n\r\n')).toBe(true);
  });

  it('leaves interim answers and trailers out for HTTP/1.0', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, 'GET /x HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer.endsWith('\r\n\r\nok')).toBe(true);
  });
});

describe('The fields and the end of an answer', () => {
  it('keep the order of values under one name', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nx-a: 3\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(answer.match(/^x-a: .(?=\r)/gim)).toEqual(['x-a: 1', 'x-a: 3', 'x-a: 2']);
  });

  it('are our own where the upstream says the end by closing', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 200 OK\r\n\r\nok');
      connection.socket.end();
    });
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    expect(await client.until('2\r\nok\r\n0\r\n\r\n')).toMatch(/\r\ntransfer-encoding: chunked\r\n/i);
  });

  it('lose chunk extensions, which concern one connection', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a="b"\r\nok\r\n0;c\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(answer.endsWith('\r\n\r\n2\r\nok\r\n0\r\n\r\n')).toBe(true);
  });
});

describe('Answers without a body', () => {
  it('HEAD has none in chunks either', async () => {
    await using upstream = await StubUpstream.start('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE.replace('GET', 'HEAD'));
    expect(statusOf(answer)).toBe(200);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  it('HEAD keeps the Content-Length and the connection', async () => {
    await using upstream = await StubUpstream.start('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write('HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.until('\r\n\r\n')).toContain('content-length: 1000');
    client.received = '';
    client.write('HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(statusOf(await client.until('\r\n\r\n'))).toBe(200);
  });

  it('an error to HEAD has no body either', async () => {
    await using upstream = await StubUpstream.start('nonsense\r\n\r\n');
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE.replace('GET', 'HEAD'));
    expect(statusOf(answer)).toBe(502);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });
});

describe('An answer that comes before the end of the request', () => {
  const EARLY = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig';

  it('reaches a client that sends its whole body before it reads, and the connection ends', async () => {
    await using upstream = await StubUpstream.start(EARLY);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    const body = Buffer.alloc(16 * 1024 * 1024);
    client.socket.pause();
    client.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    // A connection that is reset in the meantime fails the write, and the answer is lost.
    await new Promise<void>((resolve, reject) =>
      client.socket.write(body, (error) => (error ? reject(error) : resolve())),
    );
    client.socket.resume();
    await client.closed;
    expect(statusOf(client.received)).toBe(413);
    expect(client.received.toLowerCase()).toContain('connection: close');
    expect(client.received.endsWith('\r\n\r\nbig')).toBe(true);
    expect(await proxy.outcome()).toBeNull();
  });

  it('does not leave the next request of the connection hanging', async () => {
    await using upstream = await StubUpstream.start(EARLY);
    await using proxy = await ProxyHarness.start(upstream);
    const body = 'x'.repeat(1000);
    const answer = await RawClient.exchange(
      proxy.port,
      `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${body}${GET_AND_CLOSE}`,
    );
    expect(answer.match(/HTTP\/1\.1 413/g)?.length).toBeGreaterThanOrEqual(1);
  });
});

describe('Time-outs', () => {
  it('an upstream that never answers is 504', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream, { timeoutMs: 100 });
    const answer = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(statusOf(answer)).toBe(504);
    expect(answer).toContain('"code":"GATEWAY_TIMEOUT"');
    await (
      await upstream.connection()
    ).closed;
  });

  it('a client that stalls its upload is 408', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream, { limits: { uploadIdleMs: 100 } });
    const answer = await RawClient.exchange(
      proxy.port,
      'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf',
    );
    expect(statusOf(answer)).toBe(408);
    await (
      await upstream.connection()
    ).closed;
    expect(proxy.outcomes).toEqual(['REQUEST_TIMEOUT']);
  });

  it('an upstream that does not read is not the client’s stall', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.socket.pause();
    });
    await using proxy = await ProxyHarness.start(upstream, {
      limits: { uploadIdleMs: 500 },
      timeoutMs: 1500,
    });
    using client = await RawClient.connect(proxy.port);
    const body = Buffer.alloc(32 * 1024 * 1024);
    client.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.socket.write(body);
    expect(await proxy.outcome()).toBe('GATEWAY_TIMEOUT');
    // Nor is what the upstream does not take kept in the gateway: the client still holds it.
    expect(client.socket.writableLength).toBeGreaterThan(0);
  });
});

describe('The limit of requests in flight', () => {
  it('refuses what is beyond it, and takes the next once there is room', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream, { maxInFlight: 1 });
    using waiting = await RawClient.connect(proxy.port);
    waiting.write(GET);
    const connection = await upstream.connection();
    await connection.head();
    const refused = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(statusOf(refused)).toBe(503);
    expect(refused).toMatch(/"code":"SLICE_BUSY"/);
    expect(refused).toMatch(/\r\nRetry-After: 1\r\n/);
    connection.write(OK);
    await waiting.until('ok');
    const origin = `http://127.0.0.1:${upstream.port}`;
    expect(proxy.forwarder.inFlight(origin)).toBe(0);
  });
});

describe('Going down', () => {
  it('finishes what is in flight, says that the connection ends, and accepts nothing new', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    const connection = await upstream.connection();
    await connection.head();
    const { port } = proxy;
    const closed = proxy.close(10_000);
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    connection.write(OK);
    await client.until('ok');
    await closed;
    await client.closed;
  });

  it('says to a client that goes on asking that the connection ends', async () => {
    const closing = Promise.withResolvers<void>();
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.nextHead();
      await closing.promise;
      connection.write(OK);
      await connection.nextHead();
      connection.write(OK);
    });
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    await (await upstream.connection()).head();
    const closed = proxy.close(10_000);
    client.write(GET);
    closing.resolve();
    await client.closed;
    const said = client.received.match(/connection: [a-z-]+/gi);
    expect(said).toEqual(['Connection: keep-alive', 'Connection: close']);
    await closed;
  });

  it('cuts what is left at the deadline', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write(GET);
    await (await upstream.connection()).head();
    await proxy.close(50);
    await client.closed;
    expect(client.received).toBe('');
  });
});
