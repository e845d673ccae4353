import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { EchoApp } from '../support/echo.js';
import { Gateway } from '../support/gateway.js';
import { echo, openSocket, refusedUpgrade } from '../support/sockets.js';

/**
 * The threat: a page of another origin that opens a WebSocket in the visitor's browser, which adds the session cookie
 * by itself; no same-origin policy forbids it to read what comes back (cross-site WebSocket hijacking, CWE-1385).
 */
const FRONTEND = 'https://app.example.com';

let app: EchoApp;
let gateway: Gateway;
let cookie: string;
let live: string;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    env: { ...ASSIGNED_SLICES.env, ALLOWED_ORIGINS: FRONTEND },
  });
  ({ cookie } = (await customerWith(gateway, app)).browser);
  live = `${gateway.url}/api/live`;
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

describe('a WebSocket with the cookie of a session', () => {
  it.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['without an origin of its own', { origin: 'null' }],
    ['that only begins like ours', { origin: `${FRONTEND}.evil.example` }],
    ['of another port', { origin: 'http://127.0.0.1:1' }],
    ['that hides its origin behind a referrer', { referer: `${FRONTEND}/` }],
    ['that is known only as cross-site', { 'sec-fetch-site': 'cross-site' }],
  ])('is refused to a page %s', async (_which, headers) => {
    const refused = await refusedUpgrade(live, { cookie, ...headers });
    expect(refused).toMatchObject({ status: 403, body: { code: 'CSRF_REJECTED', status: 403 } });
  });

  it.each([
    ['our own pages', () => ({ origin: gateway.url })],
    ['pages of a frontend that is allowed', () => ({ origin: FRONTEND, 'sec-fetch-site': 'cross-site' })],
    ['programs, which have no origin', () => ({})],
  ])('is open to %s', async (_to, headers) => {
    const socket = await openSocket(live, { cookie, ...headers() });
    expect(await echo(socket, 'hello')).toBe('hello');
    socket.terminate();
  });
});
