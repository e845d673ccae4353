import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { StubUpstream } from '../../support/stub-upstream.js';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function answerTo(response: string, request = GET): Promise<string> {
  await using upstream = await StubUpstream.start(response);
  await using proxy = await ProxyHarness.start(upstream);
  return await RawClient.exchange(proxy.port, request);
}

describe('An upstream that breaks HTTP is a bad gateway', () => {
  it.each([
    ['two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nabc'],
    ['a stack of transfer codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'two Transfer-Encodings',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a protocol switch nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['chunks in an answer of HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['64 KB of headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(64 * 1024)}\r\nContent-Length: 0\r\n\r\n`],
    ['a bare CR in a header', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n'],
    ['bytes that are no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ])('%s', async (_name, response) => {
    const answer = await answerTo(response);
    expect(statusOf(answer)).toBe(502);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      code: 'BAD_GATEWAY',
      route: 'proxy',
    });
  });

  it('an end of the connection instead of an answer', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.socket.end();
    });
    await using proxy = await ProxyHarness.start(upstream);
    expect(statusOf(await RawClient.exchange(proxy.port, GET))).toBe(502);
    expect(proxy.outcomes).toEqual(['BAD_GATEWAY']);
  });

  it('a port that nobody listens on', async () => {
    const upstream = await StubUpstream.start('');
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using proxy = await ProxyHarness.start({ port });
    expect(statusOf(await RawClient.exchange(proxy.port, GET))).toBe(502);
  });

  it('is cut, so that the client sees the truncation, once the answer has begun', async () => {
    const answer = await answerTo('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n');
    expect(statusOf(answer)).toBe(200);
    expect(answer.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('is reset for an HTTP/1.0 client, to whom a mere end would say that it is whole', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    const failed = once(client.socket, 'error');
    client.write('GET /x HTTP/1.0\r\nHost: a\r\n\r\n');
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('is cut when its body is shorter than it said', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
      connection.socket.end();
    });
    await using proxy = await ProxyHarness.start(upstream);
    const answer = await RawClient.exchange(proxy.port, GET);
    expect(answer).toContain('content-length: 10');
    expect(answer.endsWith('\r\n\r\nabc')).toBe(true);
    expect(proxy.outcomes).toEqual(['BAD_GATEWAY']);
  });
});

describe('An upstream that says 1xx instead of an answer', () => {
  const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n';

  it('is a bad gateway once it has said it too often', async () => {
    const answer = await answerTo(INTERIM.repeat(10_000));
    expect(answer.slice(answer.lastIndexOf('HTTP/1.1'))).toMatch(/^HTTP\/1\.1 502 .*BAD_GATEWAY/s);
    expect(answer.split(INTERIM)).toHaveLength(17);
  });

  it('is not heard where that is an unasked 100', async () => {
    const answer = await answerTo(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(statusOf(answer)).toBe(200);
    expect(answer).not.toContain('100 Continue');
  });

  it('gains no time by it', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      const drip = setInterval(() => connection.write(INTERIM), 60);
      await connection.closed;
      clearInterval(drip);
    });
    await using proxy = await ProxyHarness.start(upstream, { timeoutMs: 300 });
    const answer = await RawClient.exchange(proxy.port, GET);
    expect(answer.slice(answer.lastIndexOf('HTTP/1.1'))).toMatch(/^HTTP\/1\.1 504 /);
    expect(proxy.outcomes).toEqual(['GATEWAY_TIMEOUT']);
  });
});

describe('An upstream that says too much is corrected', () => {
  it('the bytes after its body never reach a client', async () => {
    await using upstream = await StubUpstream.start(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n',
    );
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    client.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('\r\n\r\nok');
    client.write(GET);
    await client.closed;
    expect(client.received).not.toContain('X-Evil');
  });

  it('a reason phrase above ASCII is replaced', async () => {
    const answer = await answerTo('HTTP/1.1 200 Trouv\xe9\r\nContent-Length: 2\r\n\r\nok');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.endsWith('ok')).toBe(true);
  });

  it('a 204 loses its Content-Length', async () => {
    const answer = await answerTo('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
    expect(statusOf(answer)).toBe(204);
    expect(answer.toLowerCase()).not.toContain('content-length');
  });

  it('a 304 keeps its validators and has no body', async () => {
    const answer = await answerTo('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 5\r\n\r\n');
    expect(statusOf(answer)).toBe(304);
    expect(answer).toContain('etag: "1"');
    expect(answer.toLowerCase()).not.toContain('content-length');
  });

  it('an answer without a Date gets one, and another keeps its own', async () => {
    const OWN = 'Tue, 15 Nov 1994 08:12:31 GMT';
    expect(await answerTo('HTTP/1.1 204 x\r\n\r\n')).toMatch(/\r\ndate: .* GMT\r\n/i);
    const dates = (await answerTo(`HTTP/1.1 204 x\r\nDate: ${OWN}\r\n\r\n`)).match(/(?<=\r\ndate: ).*/gi);
    expect(dates).toEqual([OWN]);
  });

  it('its version of HTTP is replaced by ours', async () => {
    const answer = await answerTo('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('what it switches to is left out, but for what a 426 asks for', async () => {
    const lines = 'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\nContent-Length: 0\r\n\r\n';
    expect(await answerTo(`HTTP/1.1 200 OK\r\n${lines}`)).not.toMatch(/^(upgrade:|connection:.*upgrade)/im);
    const asks = await answerTo(`HTTP/1.1 426 x\r\n${lines}`);
    expect(asks).toMatch(/^HTTP\/1\.1 426 /);
    expect(asks.match(/^(connection|upgrade): .*(?=\r)/gim)).toEqual([
      'Connection: close, Upgrade',
      'Upgrade: websocket',
    ]);
  });

  it('headers it lists in Connection stay between us', async () => {
    const answer = await answerTo(
      'HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(answer.toLowerCase()).not.toMatch(/x-hop|timeout=9/);
  });
});
