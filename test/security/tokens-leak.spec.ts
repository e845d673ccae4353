import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { EchoApp, type Seen, valuesOf } from '../support/echo.js';
import { Gateway } from '../support/gateway.js';
import { RawClient } from '../support/raw-client.js';
import { echo, openSocket } from '../support/sockets.js';

const API_KEY = `slu_${'k'.repeat(43)}`;

/** The threat: an app that finds a token of an operator, or of a worker, in a request and acts with it on the gateway. */
describe('a token of the gateway', () => {
  let app: EchoApp;
  let gateway: Gateway;
  let session: string;
  let tokens: Record<'admin' | 'guest' | 'expired' | 'key', string>;
  beforeAll(async () => {
    app = await EchoApp.start('1');
    gateway = await Gateway.start(ASSIGNED_SLICES);
    session = (await customerWith(gateway, app)).browser.cookie;
    const { email, password } = gateway.config.admin;
    const admin = await gateway.browser().post('/auth/login', { username: email, password });
    const guest = await gateway.browser().post('/auth/guest', {});
    const expired = await new SignJWT({ scopes: ['admin'] })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setExpirationTime(1)
      .sign(new TextEncoder().encode(gateway.config.jwtSecret));
    tokens = { admin: admin.body.token, guest: guest.body.token, expired, key: API_KEY };
  }, 30_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  /** What the app saw of a request of its customer. */
  async function seen(target: string, ...lines: string[]): Promise<Seen> {
    const port = Number(new URL(gateway.url).port);
    const head = [`GET ${target} HTTP/1.1`, 'Host: localhost', `Cookie: ${session}`, ...lines];
    const response = await RawClient.exchange(port, [...head, 'Connection: close', '', ''].join('\r\n'));
    const json = /\{"sliceId".*\}/.exec(response)?.[0];
    if (json === undefined) throw new Error(`The app was not reached: ${response}`);
    return JSON.parse(json);
  }

  describe.each(['admin', 'guest', 'expired', 'key'] as const)('(%s)', (which) => {
    it.each<[string, (token: string) => { target?: string; lines?: string[] }]>([
      ['a bearer token', (token) => ({ lines: [`Authorization: Bearer ${token}`] })],
      ['another scheme', (token) => ({ lines: [`authorization: Token ${token}`] })],
      ['a password', (token) => ({ lines: [`Authorization: Basic ${btoa(`x:${token}`)}`] })],
      ['a header of its own', (token) => ({ lines: [`X-Auth-Token: ${token}`] })],
      ['one of several values', (token) => ({ lines: [`X-Tokens: a, ${token}; q=1, b`] })],
      ['a cookie', (token) => ({ lines: [`Cookie: theme=dark; token=${token}`] })],
      ['a parameter', (token) => ({ target: `/api/x?a=1&access_token=${token}&b=2` })],
      [
        'the page it came from',
        (token) => ({ lines: [`Referer: http://localhost/?t=${token}`, 'Sec-Fetch-Site: same-origin'] }),
      ],
    ])('never reaches the app as %s', async (_where, put) => {
      const { target = '/api/x', lines = [] } = put(tokens[which]);
      const { url, rawHeaders } = await seen(target, ...lines);
      const [, , signature = tokens[which]] = tokens[which].split('.');
      expect([url, ...rawHeaders].join('\n')).not.toContain(signature);
      expect([url, ...rawHeaders].join('\n')).not.toContain(btoa(`x:${tokens[which]}`));
    });
  });

  it('is taken out alone: what stands beside it reaches the app word for word', async () => {
    const cookie = `Cookie: theme=dark; token=${tokens.guest}; lang=en`;
    const { url, rawHeaders } = await seen(`/api/x?a=%20+&t=${tokens.guest}&b`, cookie);
    expect(url).toBe('/api/x?a=%20+&b');
    expect(valuesOf(rawHeaders, 'cookie').join('; ').replaceAll(/;\s+/g, '; ')).toBe('theme=dark; lang=en');
  });

  it('is told from a token of the app', async () => {
    const foreign = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('the secret of the app, which is none of ours'));
    const { url, rawHeaders } = await seen(`/api/x?t=${foreign}`, `Authorization: Bearer ${foreign}`);
    expect(url).toBe(`/api/x?t=${foreign}`);
    expect(valuesOf(rawHeaders, 'authorization')).toEqual([`Bearer ${foreign}`]);
  });

  it('never reaches the app by a WebSocket', async () => {
    const socket = await openSocket(`${gateway.url}/api/live?t=${tokens.admin}&a=1`, {
      cookie: `${session}; t=${tokens.admin}`,
      authorization: `Bearer ${tokens.admin}`,
      'x-token': tokens.admin,
    });
    const headers: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(headers.join('\n')).not.toContain(tokens.admin);
    socket.terminate();
  });
});
