import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { customerWith, ASSIGNED_SLICES, type Customer } from '../../support/assigned-slices.js';
import { valuesOf } from '../../support/echo.js';
import { Gateway } from '../../support/gateway.js';
import { EchoApps, type RoutedAnswer, send } from '../../support/routes.js';
import { echo, openSocket } from '../../support/sockets.js';
import { refusedUpgrade } from '../../support/sockets.js';

/** The routing of a backend-for-frontend: by host, port and path prefix, for whoever is signed in. */
let apps: EchoApps;
let gateway: Gateway;
/** Has no slice. */
let customer: Customer;
/** Has one. */
let tenant: Customer;

beforeAll(async () => {
  apps = await EchoApps.start('default', 'backend-a', 'backend-b', 'backend-c', 'slice');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    env: { ...ASSIGNED_SLICES.env, TRUST_PROXY: '127.0.0.1' },
    configFile: `
defaultBackend: "${apps.url('default')}"
allowedOrigins:
  - "https://app.example.com"
mappings:
  - frontendHost: "app.example.com"
    backend: "${apps.url('backend-a')}"
  - frontendHost: "api.example.com"
    frontendPort: 443
    pathPrefix: "/v2"
    backend: "${apps.url('backend-b')}/base/"
  - frontendHost: "API.example.com"
    backend: "${apps.url('backend-c')}"
  - frontendHost: "down.example.com"
    backend: "http://127.0.0.1:1"
`,
  });
  customer = await customerWith(gateway, null);
  tenant = await customerWith(gateway, { port: apps.portOf('slice') });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

function as(
  who: Customer,
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<RoutedAnswer> {
  return send(gateway.url, path, { headers: { host, cookie: who.browser.cookie, ...headers } });
}

describe('a mapping', () => {
  it.each([
    ['app.example.com', '/api/v1/users', 'backend-a', '/v1/users'],
    ['APP.example.com:8443', '/api/graphql?q=1', 'backend-a', '/graphql?q=1'],
    ['app.example.com', '/api', 'backend-a', '/'],
    ['api.example.com:443', '/api/v2/users', 'backend-b', '/base/v2/users'],
    ['api.example.com:443', '/api/v1/users', 'backend-c', '/v1/users'],
    ['api.example.com:8443', '/api/v2/users', 'backend-c', '/v2/users'],
    ['api.example.com:443', '/api/v22', 'backend-c', '/v22'],
    ['other.example.com', '/api/v1/users', 'default', '/v1/users'],
  ])('leads %s %s to %s as %s', async (host, path, app, url) => {
    const { status, seen } = await as(customer, host, path);
    expect({ status, app: seen.sliceId, url: seen.url }).toEqual({ status: 200, app, url });
  });

  it.each([
    [{ 'x-forwarded-proto': 'https' }, 'backend-b'],
    [{ 'x-forwarded-proto': 'http' }, 'backend-c'],
    [{}, 'backend-c'],
  ])('takes a missing port for the scheme’s, which a trusted proxy tells: %j', async (headers, app) => {
    expect((await as(customer, 'api.example.com', '/api/v2/x', headers)).seen.sliceId).toBe(app);
  });

  it('wins over the slice of the customer; elsewhere the slice wins over the default', async () => {
    expect((await as(tenant, 'app.example.com', '/api/x')).seen).toMatchObject({
      sliceId: 'backend-a',
      url: '/x',
    });
    expect((await as(tenant, 'other.example.com', '/api/x')).seen).toMatchObject({
      sliceId: 'slice',
      url: '/api/x',
    });
  });

  it('is for /api alone', async () => {
    expect((await as(customer, 'app.example.com', '/socket.io/')).json.code).toBe('NO_SLICE');
    expect((await as(customer, 'app.example.com', '/other')).json.code).toBe('NOT_FOUND');
  });

  it('tells the backend who asks, by the true values alone, and its own name as Host', async () => {
    const { seen } = await as(customer, 'app.example.com', '/api/x', { 'X-User-Email': 'root@example.com' });
    expect(valuesOf(seen.rawHeaders, 'x-user-email')).toEqual([customer.email]);
    expect(valuesOf(seen.rawHeaders, 'x-user-sub')).toEqual([customer.userId]);
    expect(valuesOf(seen.rawHeaders, 'host')).toEqual([`127.0.0.1:${apps.portOf('backend-a')}`]);
    expect(valuesOf(seen.rawHeaders, 'x-forwarded-host')).toEqual(['app.example.com']);
    expect(valuesOf(seen.rawHeaders, 'cookie')).toEqual([]);
  });

  it('is closed to whoever is not signed in: 401 and no redirect', async () => {
    const answer = await send(gateway.url, '/api/x', {
      headers: { host: 'app.example.com', accept: 'text/html' },
    });
    expect(answer).toMatchObject({ status: 401, json: { code: 'UNAUTHENTICATED', status: 401 } });
  });

  it('answers 502 bad_gateway where nothing listens', async () => {
    const { status, json } = await as(customer, 'down.example.com', '/api/x');
    expect({ status, json }).toMatchObject({
      status: 502,
      json: { error: 'bad_gateway', message: expect.any(String) },
    });
  });

  it('refuses what a page of another origin sends with the cookie', async () => {
    const { status, json } = await send(gateway.url, '/api/x', {
      method: 'POST',
      headers: { host: 'app.example.com', cookie: customer.browser.cookie, origin: 'https://evil.example' },
    });
    expect({ status, code: json.code }).toEqual({ status: 403, code: 'CSRF_REJECTED' });
  });

  it('takes WebSockets by the same rules', async () => {
    const headers = { host: 'app.example.com', cookie: customer.browser.cookie };
    const socket = await openSocket(`${gateway.url}/api/ws/events`, headers);
    const seen: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(valuesOf(seen, 'x-user-email')).toEqual([customer.email]);
    expect(valuesOf(seen, 'host')).toEqual([`127.0.0.1:${apps.portOf('backend-a')}`]);
    socket.terminate();
    expect(await refusedUpgrade(`${gateway.url}/api/ws/events`, { host: 'app.example.com' })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
  });
});
