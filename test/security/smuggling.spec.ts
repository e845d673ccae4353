import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../support/proxy-harness.js';
import { RawClient, statusOf } from '../support/raw-client.js';
import { StubUpstream } from '../support/stub-upstream.js';

let upstream: StubUpstream;
let proxy: ProxyHarness;

beforeAll(async () => {
  upstream = await StubUpstream.start('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  proxy = await ProxyHarness.start(upstream);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const HOST = 'Host: a\r\n';
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

describe('A request that two servers could read in two ways is refused, and no upstream sees it', () => {
  it.each([
    [
      400,
      'both Transfer-Encoding and Content-Length',
      `POST /x HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      400,
      'two Content-Lengths that differ',
      `POST /x HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    ],
    [
      400,
      'two Content-Lengths that agree',
      `POST /x HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    ],
    [400, 'a Content-Length with a sign', `POST /x HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd`],
    [400, 'obsolete folding', `GET /x HTTP/1.1\r\n${HOST}X-A: b\r\n c\r\n\r\n`],
    [400, 'bare LF', `GET /x HTTP/1.1\n${HOST}\n`],
    [400, 'a space before the colon', `GET /x HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n`],
    [400, 'a NUL in a header', `GET /x HTTP/1.1\r\n${HOST}X-A: b\0c\r\n\r\n`],
    [400, 'no Host', 'GET /x HTTP/1.1\r\n\r\n'],
    [400, 'an empty Host', 'GET /x HTTP/1.1\r\nHost:\r\n\r\n'],
    [400, 'two Hosts', `GET /x HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`],
    [400, 'two equal Hosts', `GET /x HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    [400, 'a Host with a path', 'GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    [400, 'a Host with userinfo', 'GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    [400, 'a Host list', 'GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    [400, 'the absolute form of another host', `GET http://b/x HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'the absolute form with userinfo', `GET http://u@a/x HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'the absolute form of another scheme', `GET file://a/x HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'the absolute form of another scheme, without a Host', 'GET ftp://a/x HTTP/1.0\r\n\r\n'],
    [501, 'CONNECT', `CONNECT a:80 HTTP/1.1\r\n${HOST}\r\n`],
    [501, 'TRACE', `TRACE /x HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'an asterisk of another method', `GET * HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'HTTP/0.9', 'GET /x\r\n\r\n'],
    [400, 'HTTP/2.0', `GET /x HTTP/2.0\r\n${HOST}\r\n`],
    [
      400,
      'Transfer-Encoding in HTTP/1.0',
      `POST /x HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      400,
      'Transfer-Encoding: gzip, chunked',
      `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [400, 'Transfer-Encoding: identity', `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`],
    [
      400,
      'Transfer-Encoding twice',
      `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [417, 'an unknown expectation', `GET /x HTTP/1.1\r\n${HOST}Expect: 200-ok\r\n\r\n`],
    [431, 'a header block over 16 KB', `GET /x HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(16 * 1024)}\r\n\r\n`],
    [431, 'a header block over 64 KB', `GET /x HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(64 * 1024)}\r\n\r\n`],
    [431, 'many small headers over 16 KB', `GET /x HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(3_000)}\r\n`],
    [414, 'a URL over 8 KB', `GET /${'x'.repeat(8 * 1024)} HTTP/1.1\r\n${HOST}\r\n`],
    [400, 'an upgrade by POST', `POST /x HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`],
    [400, 'an upgrade with a body', `GET /x HTTP/1.1\r\n${HOST}${UPGRADE}Content-Length: 4\r\n\r\nabcd`],
    [
      400,
      'an upgrade with a body in chunks',
      `GET /x HTTP/1.1\r\n${HOST}${UPGRADE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [400, 'an upgrade of two Hosts', `GET /x HTTP/1.1\r\n${HOST}${HOST}${UPGRADE}\r\n`],
  ])('%i %s', async (status, _name, text) => {
    const answer = await RawClient.exchange(proxy.port, closing(text));
    expect(answer).toMatch(/^HTTP\/1\.1 \d{3} [A-Za-z ]+\r\n/);
    expect(statusOf(answer)).toBe(status);
    expect(answer).toMatch(/\r\nX-Request-Id: [\w-]+\r\n/);
    expect(answer).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, route: 'proxy' });
    expect(upstream.connections).toHaveLength(0);
  });

  it.each([
    '/api/%2e%2e/admin',
    '/api/.%2E/admin',
    '/api/..%2fadmin',
    '/api/%2f../admin',
    '/api/..;/admin',
    '/api/..%3b/admin'.replace('%3b', ';x=1'),
    '/api\\..\\admin',
    '/api/%5c..%5cadmin',
    '/api/x%00.png',
    '/api/x#/../admin',
    '/../admin',
    '/api/../../admin',
  ])('400 the path %s', async (path) => {
    const answer = await RawClient.exchange(
      proxy.port,
      `GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(400);
    expect(upstream.connections).toHaveLength(0);
  });
});

describe('What can be read in one way only passes', () => {
  it.each([
    ['the absolute form of this host', 'GET http://A/x?y=1 HTTP/1.1', 'GET /x?y=1 HTTP/1.1'],
    ['the absolute form without a path', 'GET http://a?y HTTP/1.1', 'GET /?y HTTP/1.1'],
    ['dot segments', 'GET /api/./a/../b/. HTTP/1.1', 'GET /api/b/ HTTP/1.1'],
    ['an encoded slash', 'GET /api/group%2Fproject HTTP/1.1', 'GET /api/group%2Fproject HTTP/1.1'],
    [
      'a URL of 8 KB',
      `GET /${'x'.repeat(8 * 1024 - 1)} HTTP/1.1`,
      `GET /${'x'.repeat(8 * 1024 - 1)} HTTP/1.1`,
    ],
  ])('%s', async (_name, line, forwarded) => {
    await using origin = await StubUpstream.start('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await using gateway = await ProxyHarness.start(origin);
    await RawClient.exchange(gateway.port, `${line}\r\n${HOST}Connection: close\r\n\r\n`);
    expect(origin.received.startsWith(`${forwarded}\r\n`)).toBe(true);
  });

  it('a header block just below 16 KB', async () => {
    await using origin = await StubUpstream.start('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await using gateway = await ProxyHarness.start(origin);
    const answer = await RawClient.exchange(
      gateway.port,
      `GET /x HTTP/1.1\r\n${HOST}Connection: close\r\nX-A: ${'x'.repeat(16 * 1024 - 100)}\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(200);
  });
});

describe('A body that breaks its framing', () => {
  it('is 400, and the upstream never sees a complete request', async () => {
    await using origin = await StubUpstream.start(() => undefined);
    await using gateway = await ProxyHarness.start(origin);
    const answer = await RawClient.exchange(
      gateway.port,
      `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nGET /admin HTTP/1.1\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(400);
    expect(origin.received).not.toContain('/admin');
    expect(origin.received.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('whose rest looks like a request does not become one', async () => {
    await using origin = await StubUpstream.start('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await using gateway = await ProxyHarness.start(origin);
    const inner = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
    await RawClient.exchange(
      gateway.port,
      `GET /x HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expect(origin.received.match(/HTTP\/1\.1\r\n/g)).toHaveLength(2);
    expect(origin.received.toLowerCase()).toContain(`content-length: ${inner.length}`);
    expect(origin.connections).toHaveLength(1);
  });
});

describe('An upgrade behind a request that is still being answered', () => {
  it('is cut, so that no frame gets into the earlier answer', async () => {
    await using origin = await StubUpstream.start(() => undefined);
    await using gateway = await ProxyHarness.start(origin);
    const answer = await RawClient.exchange(
      gateway.port,
      `GET /x HTTP/1.1\r\n${HOST}\r\nGET /y HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
    );
    expect(answer).toBe('');
    expect(origin.received).not.toContain('/y');
  });
});

/** Asks for the end of the connection where the request does not speak of connections itself. */
function closing(text: string): string {
  return text.includes('Connection:') ? text : text.replace('\r\n', '\r\nConnection: close\r\n');
}
