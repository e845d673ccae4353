import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignedSlices, customerWith } from '../support/assigned-slices.js';
import { EchoApp } from '../support/echo.js';
import { Gateway } from '../support/gateway.js';
import { answersIn } from '../support/raw-answers.js';
import { RawClient } from '../support/raw-client.js';
import { echo, openSocket, refusedUpgrade } from '../support/sockets.js';

/**
 * The threat: a page of another origin that opens a WebSocket in the visitor's browser, which adds the session cookie
 * by itself; no same-origin policy forbids it to read what comes back (cross-site WebSocket hijacking, CWE-1385).
 */
const FRONTEND = 'https://app.example.com';
const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

let app: EchoApp;
let gateway: Gateway;
let cookie: string;
let live: string;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(assignedSlices({ ALLOWED_ORIGINS: FRONTEND }));
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
    ['two origins, ours first', () => [`Origin: ${gateway.url}`, 'Origin: https://evil.example']],
    ['two origins, ours last', () => ['Origin: https://evil.example', `Origin: ${gateway.url}`]],
    ['our origin, and userinfo in it', () => [`Origin: ${gateway.url.replace('//', '//evil@')}`]],
    [
      'our origin, and two kinds of site',
      () => [`Origin: ${gateway.url}`, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-origin'],
    ],
    ['an empty origin', () => ['Origin:']],
  ])('is refused where it names %s', async (_what, lines) => {
    const text = ['GET /api/live HTTP/1.1', 'Host: a', `Cookie: ${cookie}`, ...HANDSHAKE, ...lines(), '', ''];
    const [answer] = answersIn(
      await RawClient.exchange(Number(new URL(gateway.url).port), text.join('\r\n')),
    );
    expect(answer?.status).toBe(403);
    expect(answer?.text).toContain('"CSRF_REJECTED"');
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
