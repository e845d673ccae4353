import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { customerWith, ASSIGNED_SLICES, type Customer } from '../../support/assigned-slices.js';
import { answering, valuesOf } from '../../support/echo.js';
import { Gateway } from '../../support/gateway.js';
import { EchoApps, send } from '../../support/routes.js';
import { echo, openSocket } from '../../support/sockets.js';

/** A thin layer of routing in front of services that check for themselves who asks. */
let apps: EchoApps;
let gateway: Gateway;
let customer: Customer;

beforeAll(async () => {
  apps = await EchoApps.start('auth', 'tenant', 'admin', 'file', 'kira', 'vera', 'slice');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    env: {
      ...ASSIGNED_SLICES.env,
      CORS_ORIGIN: '*',
      AUTH_URL: apps.url('auth'),
      TENANT_SERVICE_URL: apps.url('tenant'),
    },
    configFile: `
services:
  auth: { path: /api/auth, health: /api/health }
  tenant: { url: "http://127.0.0.1:1", path: /api/tenants }
  admin: { url: "${apps.url('admin')}", path: /api/users }
  file: { url: "${apps.url('file')}/files", path: /api/files, rewrite: preserve }
  kira: { url: "${apps.url('kira')}", path: /api/kira, auth: [session, none] }
  vera: { url: "${apps.url('vera')}", path: /api/vera, auth: [session] }
  cleverscreen: { path: /api/cleverscreen }
`,
  });
  customer = await customerWith(gateway, { port: apps.portOf('slice') });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

describe('a service', () => {
  it.each([
    ['POST', '/api/auth/login?next=/', 'auth', '/login?next=/'],
    ['GET', '/api/tenants/7', 'tenant', '/7'],
    ['GET', '/api/users', 'admin', '/'],
    ['POST', '/api/files/a%20b', 'file', '/files/api/files/a%20b'],
    ['POST', '/api/kira/chat', 'kira', '/chat'],
  ])('gets %s %s: %s as %s', async (method, path, app, url) => {
    const { status, seen } = await send(gateway.url, path, { method, body: method === 'POST' ? 'x' : '' });
    expect({ status, method: seen.method, app: seen.sliceId, url: seen.url }).toEqual({
      status: 200,
      method,
      app,
      url,
    });
  });

  it('wins over the slice on its path, and leaves it the rest', async () => {
    const headers = { cookie: customer.browser.cookie };
    expect((await send(gateway.url, '/api/users/x', { headers })).seen.sliceId).toBe('admin');
    expect((await send(gateway.url, '/api/usersx', { headers })).seen.sliceId).toBe('slice');
  });

  it('gets the Authorization of its clients, and no cookie of ours', async () => {
    const headers = {
      authorization: 'Bearer of-the-service',
      cookie: `${customer.browser.cookie}; theirs=1`,
    };
    const { seen } = await send(gateway.url, '/api/users/x', { headers });
    expect(valuesOf(seen.rawHeaders, 'authorization')).toEqual(['Bearer of-the-service']);
    expect(valuesOf(seen.rawHeaders, 'cookie')).toEqual(['theirs=1']);
    expect(valuesOf(seen.rawHeaders, 'x-user-email')).toEqual([]);
  });

  it('that welcomes sessions is told of them, and serves everybody', async () => {
    const signedIn = await send(gateway.url, '/api/kira/x', { headers: { cookie: customer.browser.cookie } });
    expect(valuesOf(signedIn.seen.rawHeaders, 'x-user-email')).toEqual([customer.email]);
    const ended = await send(gateway.url, '/api/kira/x', {
      headers: { cookie: `session=${'x'.repeat(32)}` },
    });
    expect(ended.status).toBe(200);
    expect(valuesOf(ended.seen.rawHeaders, 'x-user-email')).toEqual([]);
  });

  it('that asks for a session serves nobody without', async () => {
    expect(await send(gateway.url, '/api/vera/x')).toMatchObject({
      status: 401,
      json: { code: 'UNAUTHENTICATED' },
    });
    expect(
      (await send(gateway.url, '/api/vera/x', { headers: { cookie: customer.browser.cookie } })).status,
    ).toBe(200);
  });

  it('whose URL is not set is 502 MISSING_TARGET', async () => {
    expect(await send(gateway.url, '/api/cleverscreen/x')).toMatchObject({
      status: 502,
      json: { code: 'MISSING_TARGET', error: 'missing_target' },
    });
  });

  it('is reached by WebSocket, without its prefix', async () => {
    const socket = await openSocket(`${gateway.url}/api/kira/live`, { cookie: customer.browser.cookie });
    const seen: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(valuesOf(seen, 'x-user-email')).toEqual([customer.email]);
    socket.terminate();
    const stranger = await openSocket(`${gateway.url}/api/users/live`);
    expect(await echo(stranger, 'hello')).toBe('hello');
    stranger.terminate();
  });
});

describe('the health of a service', () => {
  it('is its own answer, at the path that config.yml names', async () => {
    expect((await send(gateway.url, '/health/auth')).seen).toMatchObject({
      sliceId: 'auth',
      url: '/api/health',
    });
    expect((await send(gateway.url, '/health/kira')).seen).toMatchObject({ sliceId: 'kira', url: '/health' });
    expect((await send(gateway.url, '/health/auth', { method: 'HEAD' })).status).toBe(200);
  });

  it('is 404 for none, and our own without a name', async () => {
    expect(await send(gateway.url, '/health/nobody')).toMatchObject({
      status: 404,
      json: { code: 'NOT_FOUND' },
    });
    expect((await send(gateway.url, '/health')).json).toMatchObject({ status: 'ok' });
  });
});

describe('CORS of services', () => {
  const origin = 'https://anywhere.example';
  const preflight = { origin, 'access-control-request-method': 'POST' };

  it('lets pages of any origin call what takes no cookie', async () => {
    const answer = await send(gateway.url, '/api/users/x', { headers: { origin } });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    const asked = await send(gateway.url, '/api/users/x', { method: 'OPTIONS', headers: preflight });
    expect(asked).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-max-age': '86400' },
    });
  });

  it('does not where a cookie counts', async () => {
    for (const path of ['/api/vera/x', '/api/x']) {
      const asked = await send(gateway.url, path, { method: 'OPTIONS', headers: preflight });
      expect(asked.headers['access-control-allow-origin']).toBeUndefined();
      const headers = { origin, cookie: customer.browser.cookie };
      const sent = await send(gateway.url, path, { method: 'POST', headers });
      expect({ status: sent.status, code: sent.json.code }).toEqual({ status: 403, code: 'CSRF_REJECTED' });
    }
  });

  it.each([
    ['the origin', { 'access-control-allow-origin': 'https://one.example' }],
    ['leave for cookies', { 'access-control-allow-credentials': 'true' }],
    ['what may be read', { 'access-control-expose-headers': 'x-total' }],
  ])('leaves a service what it says itself, and adds nothing of ours: %s', async (_what, theirs) => {
    const told = answering({ headers: [...Object.entries(theirs).flat(), 'vary', 'Accept'] });
    // One route names everybody, the other an allowed origin with its cookie.
    for (const [path, from] of [
      ['/api/users', origin],
      ['/api/kira', gateway.url],
    ]) {
      const { headers } = await send(gateway.url, `${path}${told}`, { headers: { origin: from ?? '' } });
      const cors = Object.entries(headers).filter(([name]) => name.startsWith('access-control-'));
      expect(Object.fromEntries(cors)).toEqual(theirs);
      expect(headers.vary).toBe('Accept, Origin');
    }
  });
});
