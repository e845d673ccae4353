import { describe, expect, it } from '@jest/globals';
import { poolOf } from '../../support/raw-upgrades.js';
import { type HarnessOptions, ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { StubUpstream } from '../../support/stub-upstream.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface Case {
  readonly request: string;
  /** What an upstream's connection says to a request that is not its first, before it is cut. */
  readonly lastWords?: string;
  /** Whether every other connection is cut as well, at its first request. */
  readonly always?: boolean;
  readonly options?: HarnessOptions;
}

/**
 * An upstream that keeps a connection after an answer, and cuts it when the next request arrives, as happens where it
 * closes the connection at the very moment.
 * @returns what the client of that next request is answered, and what the upstream got in all
 */
async function over({ request, lastWords = '', always = false, options }: Case): Promise<[string, string[]]> {
  const seen: string[] = [];
  await using upstream = await StubUpstream.start(async (connection) => {
    const isFirst = upstream.connections.length === 1;
    if (isFirst || !always) {
      seen.push(await lineIn(connection.nextHead()));
      connection.write(OK);
    }
    seen.push(await lineIn(connection.nextHead()));
    if (lastWords === '') connection.socket.resetAndDestroy();
    else connection.socket.end(lastWords);
  });
  await using proxy = await ProxyHarness.start(upstream, options);
  await RawClient.exchange(proxy.port, 'GET /before HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  return [await RawClient.exchange(proxy.port, request), seen];
}

async function lineIn(head: Promise<string>): Promise<string> {
  return (await head).split(' HTTP')[0] ?? '';
}

function of(method: string, more = '\r\n'): string {
  return `${method} /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}`;
}

describe('A connection that was kept and breaks before a byte of the next answer', () => {
  it.each(['GET', 'HEAD'])(
    'is not the end of a %s without a body: it is sent once more, by a new one',
    async (method) => {
      const [answer, seen] = await over({ request: of(method) });
      expect(statusOf(answer)).toBe(200);
      expect(seen).toEqual(['GET /before', `${method} /x`, `${method} /x`]);
    },
  );

  it.each([
    ['POST', of('POST')],
    ['POST with a body', of('POST', 'Content-Length: 2\r\n\r\nok')],
    ['PUT with a body', of('PUT', 'Content-Length: 2\r\n\r\nok')],
    ['DELETE', of('DELETE')],
    ['OPTIONS', of('OPTIONS')],
    ['GET with a body', of('GET', 'Content-Length: 2\r\n\r\nok')],
  ])('ends a %s, which may have been acted on', async (_what, request) => {
    const [answer, seen] = await over({ request });
    expect(statusOf(answer)).toBe(502);
    expect(seen).toHaveLength(2);
  });

  it('is tried again once, not more', async () => {
    const [answer, seen] = await over({ request: of('GET'), always: true });
    expect(statusOf(answer)).toBe(502);
    expect(seen).toEqual(['GET /before', 'GET /x', 'GET /x']);
  });

  it('is not replaced by another one that was kept', async () => {
    const both = Promise.withResolvers<void>();
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.nextHead();
      if (upstream.connections.length === 2) both.resolve();
      await both.promise;
      connection.write(OK);
      await connection.nextHead();
      connection.socket.resetAndDestroy();
    });
    await using proxy = await ProxyHarness.start(upstream);
    using first = await RawClient.connect(proxy.port);
    first.write(of('GET'));
    await (await upstream.connection()).head();
    expect(statusOf(await RawClient.exchange(proxy.port, of('GET')))).toBe(200);
    await first.closed;
    expect(statusOf(await RawClient.exchange(proxy.port, of('GET')))).toBe(200);
    expect(upstream.connections).toHaveLength(3);
  });

  it('is tried again where a pool has no other backend', async () => {
    const upstream = await StubUpstream.start('');
    const { lane } = poolOf(upstream.port);
    await upstream[Symbol.asyncDispose]();
    const [answer, seen] = await over({ request: of('GET'), options: { lane } });
    expect(statusOf(answer)).toBe(200);
    expect(seen).toHaveLength(3);
  });
});

describe('A kept connection that breaks after the first byte of the answer', () => {
  it.each([
    ['half a head', 'HTTP/1.1 200'],
    ['an interim answer', 'HTTP/1.1 102 x\r\n\r\n'],
    ['what is no HTTP', 'SSH-2.0\r\n\r\n'],
  ])('ends the request: %s', async (_what, lastWords) => {
    const [answer, seen] = await over({ request: of('GET'), lastWords });
    expect(answer.slice(answer.lastIndexOf('HTTP/1.1'))).toMatch(/^HTTP\/1\.1 502/);
    expect(seen).toHaveLength(2);
  });
});

describe('A new connection that breaks before a byte of the answer', () => {
  it('ends the request', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.socket.resetAndDestroy();
    });
    await using proxy = await ProxyHarness.start(upstream);
    expect(statusOf(await RawClient.exchange(proxy.port, of('GET')))).toBe(502);
    expect(upstream.connections).toHaveLength(1);
  });
});
