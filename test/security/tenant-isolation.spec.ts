import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../support/assigned-slices.js';
import { EchoApp, type Seen, valuesOf } from '../support/echo.js';
import { eventually } from '../support/eventually.js';
import { ADMIN_KEY, Gateway } from '../support/gateway.js';
import { RawClient, statusOf } from '../support/raw-client.js';
import { echo, openSocket } from '../support/sockets.js';

/**
 * The threat: a customer who wants to reach the slice of another one, or to be taken for another one by their own.
 * Whatever they send, it reaches their own slice under their own name, or nobody's.
 */
let apps: EchoApp[];
let gateway: Gateway;
let eve: Customer;
let victim: Customer;
let port: number;

beforeAll(async () => {
  apps = await Promise.all([EchoApp.start('eve'), EchoApp.start('victim')]);
  gateway = await Gateway.start(ASSIGNED_SLICES);
  port = Number(new URL(gateway.url).port);
  eve = await customerWith(gateway, { port: portOf(0) });
  victim = await customerWith(gateway, { port: portOf(1) });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all(apps.map((app) => app[Symbol.asyncDispose]()));
});

function portOf(index: number): number {
  return apps[index]?.port ?? 0;
}

interface Reached {
  readonly status: number;
  /** Whose slice answered; null when none did. */
  readonly slice: string | null;
  /** As whom it took the caller. */
  readonly email: string | null;
}

/** Sends the lines as they stand, and tells what they reached. */
async function send(requestLine: string, ...headers: string[]): Promise<Reached> {
  const lines = headers.some((line) => /^host:/i.test(line)) ? headers : ['Host: localhost', ...headers];
  const text = [requestLine, ...lines, 'Connection: close', '', ''].join('\r\n');
  return reached(await RawClient.exchange(port, text));
}

function reached(response: string): Reached {
  const json = /\{"sliceId".*\}/.exec(response)?.[0];
  const seen: Seen | null = json === undefined ? null : JSON.parse(json);
  return {
    status: statusOf(response),
    slice: seen?.sliceId ?? null,
    email: seen === null ? null : valuesOf(seen.rawHeaders, 'x-user-email').join(' and '),
  };
}

function cookieOf({ browser }: Customer): string {
  return `Cookie: ${browser.cookie}`;
}

function sessionOf({ browser }: Customer): string {
  return browser.cookie.split('=')[1] ?? '';
}

describe("a customer's request reaches their own slice as themselves", () => {
  const headers: [string, () => string[]][] = [
    ["X-Forwarded-Host of the victim's slice", () => [`X-Forwarded-Host: 127.0.0.1:${portOf(1)}`]],
    ["Host of the victim's slice", () => [`Host: 127.0.0.1:${portOf(1)}`]],
    [
      'X-Original-URL and X-Rewrite-URL',
      () => ['X-Original-URL: /admin', 'X-Rewrite-URL: /orchestrator/slices'],
    ],
    ['X-User-Email of the victim', () => [`X-User-Email: ${victim.email}`]],
    [
      'x_user_email with underscores',
      () => [`x_user_email: ${victim.email}`, `x_user-sub: ${victim.userId}`],
    ],
    ['X-User-Sub twice', () => [`X-User-Sub: ${victim.userId}`, `x-user-sub: ${victim.userId}`]],
    ['identity headers listed in Connection', () => ['Connection: x-user-email, x-user-sub']],
    ['Forwarded', () => [`Forwarded: for=127.0.0.1;host=127.0.0.1:${portOf(1)}`]],
    ['X-Slice-Id and its kin', () => ['X-Slice-Id: 2', 'Slice-Id: 2', 'X-Tenant: victim', 'X-Slice: victim']],
    ["the victim's session as a bearer token", () => [`Authorization: Bearer ${sessionOf(victim)}`]],
    ["the victim's session under another name", () => [`Cookie: sessions=${sessionOf(victim)}; xsession=1`]],
    [
      "the victim's session in another header",
      () => [`X-Session: ${sessionOf(victim)}`, `Session: ${sessionOf(victim)}`],
    ],
  ];

  it.each(headers)('whatever it says: %s', async (_what, lines) => {
    const got = await send('GET /api/x HTTP/1.1', cookieOf(eve), ...lines());
    expect(got).toEqual({ status: 200, slice: 'eve', email: eve.email });
  });

  const paths: [string, () => string][] = [
    ['a slice in the path', () => '/api/slices/2/notes'],
    ["the victim's address in the path", () => `/api/http://127.0.0.1:${portOf(1)}/api/x`],
    ['a user in the query', () => `/api/x?slice=2&user=${victim.userId}&port=${portOf(1)}`],
    ['an @ that could be read as user info', () => `/api@127.0.0.1:${portOf(1)}/x`],
    ['dots that leave the slice paths and come back', () => '/api/../api/x'],
  ];

  it.each(paths)('whatever its path: %s', async (_what, path) => {
    const got = await send(`GET ${path()} HTTP/1.1`, cookieOf(eve));
    expect(got.slice).not.toBe('victim');
    if (got.slice !== null) expect(got).toMatchObject({ slice: 'eve', email: eve.email });
  });

  it('also by WebSocket', async () => {
    const socket = await openSocket(`${gateway.url}/api/live`, {
      cookie: eve.browser.cookie,
      'x-user-email': victim.email,
      'x-forwarded-host': `127.0.0.1:${portOf(1)}`,
    });
    const seen: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(seen.filter((_line, i) => seen[i - 1]?.toLowerCase() === 'x-user-email')).toEqual([eve.email]);
    expect(seen).not.toContain(victim.email);
    socket.terminate();
  });
});

describe('no slice sees', () => {
  const refused: [string, string, () => string[], number][] = [
    ['an absolute form of another host', 'GET http://victim.example/api/x HTTP/1.1', () => [], 400],
    ['two Hosts', 'GET /api/x HTTP/1.1', () => ['Host: localhost', 'Host: victim'], 400],
    ['a path that is own or proxied, as one reads it', 'GET /auth/..%2fapi/x HTTP/1.1', () => [], 400],
    ['a path with encoded dots', 'GET /api/%2e%2e/auth/me HTTP/1.1', () => [], 400],
    ['a path with a doubled slash before the prefix', 'GET //api/x HTTP/1.1', () => [], 400],
    ['a backslash', 'GET /api\\..\\auth HTTP/1.1', () => [], 400],
    [
      'two sessions, the planted one last',
      'GET /api/x HTTP/1.1',
      () => [`Cookie: session=${sessionOf(victim)}`],
      400,
    ],
  ];

  it.each(refused)('%s', async (_what, line, headers, status) => {
    const got = await send(line, cookieOf(eve), ...headers());
    expect(got).toEqual({ status, slice: null, email: null });
  });

  it('a request with two valid sessions, in either order and under either name', async () => {
    const [a, b] = [sessionOf(eve), sessionOf(victim)];
    const pairs = [
      `session=${b}; session=${a}`,
      `session=${a}; __Host-session=${b}`,
      `__Host-session=${b}; session=${a}`,
    ];
    for (const pair of pairs) {
      const got = await send('GET /api/x HTTP/1.1', `Cookie: ${pair}`);
      expect(got).toEqual({ status: 400, slice: null, email: null });
    }
  });
});

describe('a planted cookie that is no session', () => {
  it.each(['session=planted; session=S', 'session=S; session=planted', '__Host-session=planted; session=S'])(
    'does not keep the customer out, nor change who they are: %s',
    async (shape) => {
      const got = await send('GET /api/x HTTP/1.1', `Cookie: ${shape.replace('=S', `=${sessionOf(eve)}`)}`);
      expect(got).toEqual({ status: 200, slice: 'eve', email: eve.email });
    },
  );
});

describe('who has no session', () => {
  it.each([
    ['the admin key', () => `X-Admin-Key: ${ADMIN_KEY}`],
    ['the admin key as a bearer token', () => `Authorization: Bearer ${ADMIN_KEY}`],
    ["somebody's user id", () => `Cookie: session=${victim.userId}`],
    ['a true identity header', () => `X-User-Email: ${victim.email}`],
    ['an empty session', () => 'Cookie: session='],
  ])('reaches no slice with %s', async (_what, header) => {
    expect(await send('GET /api/x HTTP/1.1', header())).toEqual({ status: 401, slice: null, email: null });
  });

  it('reaches no slice by a customer’s keep-alive connection', async () => {
    using client = await RawClient.connect(port);
    client.write(`GET /api/x HTTP/1.1\r\nHost: localhost\r\n${cookieOf(eve)}\r\n\r\n`);
    await client.until('"sliceId":"eve"');
    client.received = '';
    client.write('GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(statusOf(await client.until('UNAUTHENTICATED'))).toBe(401);
  });
});

describe('a slice that goes to another customer', () => {
  it('is reached by the new one alone, on connections that stood before', async () => {
    const before = await customerWith(gateway, { port: portOf(1) });
    expect(await send('GET /api/x HTTP/1.1', cookieOf(before))).toMatchObject({ slice: 'victim' });
    await assign(gateway, before.userId, { port: portOf(0) });
    // Within the second that contract §2 gives; what comes after the first answer of the new slice stays there.
    await eventually(async () => expect((await before.browser.get('/api/x')).body.sliceId).toBe('eve'), 1000);
    expect(await send('GET /api/x HTTP/1.1', cookieOf(before))).toMatchObject({ slice: 'eve' });
  });
});
