import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignedSlices, customerWith } from '../../support/assigned-slices.js';
import type { Browser } from '../../support/clients.js';
import { answering, EchoApp } from '../../support/echo.js';
import { ADMIN_KEY, Gateway } from '../../support/gateway.js';
import { RawClient } from '../../support/raw-client.js';

const FRONTEND = 'https://app.example.com';
/** Another address of this machine. */
const TRUSTED_PROXY = '127.0.0.2';
const FOREIGN = 'https://evil.example';

let app: EchoApp;
let gateway: Gateway;
let customer: Browser;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(assignedSlices({ ALLOWED_ORIGINS: FRONTEND, TRUST_PROXY: TRUSTED_PROXY }));
  customer = (await customerWith(gateway, app)).browser;
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

function varies(headers: Headers): string[] {
  return (headers.get('vary') ?? '').split(',').map((name) => name.trim().toLowerCase());
}

describe.each([
  ['a slice path', '/api/x'],
  ['our own endpoints', '/auth/me'],
])('CORS of %s', (_of, path) => {
  it('answers the preflight of an allowed origin, without a session', async () => {
    const { status, headers } = await gateway.browser().send('OPTIONS', path, {
      headers: { origin: FRONTEND, 'access-control-request-method': 'PUT' },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(FRONTEND);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toBe('GET,POST,PUT,DELETE,PATCH,OPTIONS');
    expect(headers.get('access-control-allow-headers')).toBe('Content-Type,Authorization');
    expect(headers.get('access-control-max-age')).toBe('86400');
    expect(varies(headers)).toContain('origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('gives a foreign origin no leave', async () => {
    const preflight = await gateway.browser().send('OPTIONS', path, {
      headers: { origin: FOREIGN, 'access-control-request-method': 'PUT' },
    });
    const read = await customer.get(path, { headers: { origin: FOREIGN } });
    for (const { headers } of [preflight, read]) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(varies(headers)).toContain('origin');
    }
    expect(read.status).toBe(200);
  });

  it('lets pages of an allowed origin read answers and errors alike', async () => {
    const answer = await customer.get(path, { headers: { origin: FRONTEND } });
    const error = await gateway.browser().get(path, { headers: { origin: FRONTEND } });
    expect([answer.status, error.status]).toEqual([200, 401]);
    for (const { headers } of [answer, error]) {
      expect(headers.get('access-control-allow-origin')).toBe(FRONTEND);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(varies(headers)).toContain('origin');
    }
  });
});

describe("a slice's own headers", () => {
  it('for CORS take the place of ours, and its Vary stands beside ours', async () => {
    const own = ['Access-Control-Allow-Origin', '*', 'Vary', 'Accept-Language'];
    const { headers } = await customer.get(answering({ headers: own }), { headers: { origin: FRONTEND } });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(varies(headers).toSorted()).toEqual(['accept-language', 'origin']);
  });

  it('for security stay as they are, and only what is missing is added', async () => {
    const own = ['X-Frame-Options', 'DENY', 'Content-Security-Policy', "default-src 'none'"];
    const { headers } = await customer.get(answering({ headers: own }));
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('CSRF', () => {
  it.each([
    ['POST', '/api/x'],
    ['DELETE', '/socket.io/x'],
    ['POST', '/auth/logout'],
  ])('a foreign page cannot %s to %s', async (method, path) => {
    const provenances = [
      ['origin', FOREIGN],
      ['origin', 'null'],
      ['referer', `${FOREIGN}/page`],
    ];
    for (const provenance of provenances) {
      const { status, body } = await customer.send(method, path, {
        headers: Object.fromEntries([provenance]),
      });
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'CSRF_REJECTED' });
    }
    expect((await customer.get('/auth/me')).status).toBe(200);
  });

  it.each([
    ['our own origin', () => ({ origin: gateway.url, 'sec-fetch-site': 'same-origin' })],
    ['an allowed origin', () => ({ origin: FRONTEND, 'sec-fetch-site': 'cross-site' })],
    ['no browser', () => ({})],
  ])('a write from %s passes', async (_from, headers) => {
    const answer = await customer.post('/api/x', { a: 1 }, headers());
    expect(answer).toMatchObject({ status: 200, body: { method: 'POST', body: { bytes: 7 } } });
  });

  it('does not keep a foreign page from reading without a session what everybody may read', async () => {
    expect((await gateway.browser().get('/healthz', { headers: { origin: FOREIGN } })).status).toBe(200);
  });
});

describe('every answer', () => {
  it.each([
    ['an own one', '/auth/me', 200],
    ['a proxied one', '/api/x', 200],
    ['an own error', '/no/such/path', 404],
    ['an error at the edge', '/api/%00', 400],
  ])('carries the security headers and a request id: %s', async (_what, path, status) => {
    const answer = await customer.get(path);
    expect(answer.status).toBe(status);
    const { headers } = answer;
    expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-site');
    expect(headers.get('strict-transport-security')).toContain('max-age');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    if (status >= 400) expect(answer.body.requestId).toBe(headers.get('x-request-id'));
  });

  it('of our own is compressed where the browser can read it', async () => {
    const path = '/orchestrator/slices';
    const own = (encoding: string) =>
      gateway.browser().get(path, { headers: { 'x-admin-key': ADMIN_KEY, 'accept-encoding': encoding } });
    await Promise.all(Array.from({ length: 6 }, () => customerWith(gateway, app)));
    for (const encoding of ['br', 'gzip']) {
      const { headers, body } = await own(encoding);
      expect(headers.get('content-encoding')).toBe(encoding);
      expect(varies(headers)).toContain('accept-encoding');
      expect(body.length).toBeGreaterThan(5);
    }
    expect((await own('identity')).headers.get('content-encoding')).toBeNull();
  });
});

describe('the request id', () => {
  it('of a stranger is not taken over, neither to the caller nor to the app', async () => {
    const { headers, body } = await customer.get('/api/x', { headers: { 'x-request-id': 'forged' } });
    const id = headers.get('x-request-id');
    expect(id).not.toBe('forged');
    expect(body.rawHeaders).toContain(id);
    expect(body.rawHeaders).not.toContain('forged');
  });

  it.each([
    ['is kept', 'trace-1.A_b', true],
    ['is not kept when it could forge a line of a log', 'two words', false],
    ['is not kept when it is too long', 'x'.repeat(129), false],
  ])('of a trusted proxy %s', async (_what, given, kept) => {
    for (const path of ['/api/x', '/healthz', '/no/such/path']) {
      const answer = await viaProxy(path, { 'x-request-id': given });
      expect(answer.headers['x-request-id'] === given).toBe(kept);
    }
  });
});

/** A request by way of the proxy that the gateway trusts. */
async function viaProxy(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const options = { localAddress: TRUSTED_PROXY, headers: { cookie: customer.cookie, ...headers } };
  const [response] = await once(get(`${gateway.url}${path}`, options), 'response');
  return response.resume();
}

describe('answers without a body', () => {
  it('go through as they are: HEAD, 204, 304', async () => {
    const head = await customer.send(
      'HEAD',
      answering({ headers: ['Content-Length', '1234', 'ETag', '"a"'] }),
    );
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('1234');
    const empty = await customer.get(answering({ status: 204, headers: ['X-App', 'yes'] }));
    expect([empty.status, empty.headers.get('x-app'), empty.body]).toEqual([204, 'yes', null]);
    const same = await customer.get(answering({ status: 304, headers: ['ETag', '"a"'] }));
    expect([same.status, same.headers.get('etag')]).toEqual([304, '"a"']);
  });

  it('leave the connection fit for the next request', async () => {
    using client = await RawClient.connect(Number(new URL(gateway.url).port));
    const request = (method: string, path: string): void =>
      client.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${customer.cookie}\r\n\r\n`);
    request('HEAD', answering({ headers: ['Content-Length', '99', 'X-Turn', 'one'] }));
    await client.until('one');
    request('GET', answering({ status: 304, headers: ['X-Turn', 'two'] }));
    await client.until('two');
    request('GET', answering({ status: 204, headers: ['X-Turn', 'three'] }));
    await client.until('three');
    request('HEAD', '/auth/me');
    await client.until('HTTP/1.1 200 OK\r\n');
    request('GET', '/api/last');
    expect(await client.until('"sliceId"')).toContain('/api/last');
  });
});
