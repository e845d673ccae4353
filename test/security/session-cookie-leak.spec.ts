import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import type { Answer } from '../support/clients.js';
import { answering, EchoApp, type Seen, valuesOf } from '../support/echo.js';
import { ADMIN_KEY, Gateway } from '../support/gateway.js';
import { RawClient } from '../support/raw-client.js';
import { echo, openSocket } from '../support/sockets.js';

/**
 * The threat: an app that acts on the gateway as its own customer, or as the operator. It must not learn a credential
 * of the gateway's, nor set one, nor act on the origin that it shares with the gateway.
 */
let app: EchoApp;
let gateway: Gateway;
let session: string;
let port: number;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(ASSIGNED_SLICES);
  port = Number(new URL(gateway.url).port);
  const { browser } = await customerWith(gateway, app);
  session = browser.cookie.split('=')[1] ?? '';
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** The header lines the app saw, of a request with these. */
async function seen(...lines: string[]): Promise<string[]> {
  return [...(await seenAt('/api/x', ...lines)).rawHeaders];
}

/** The request as the app saw it. */
async function seenAt(target: string, ...lines: string[]): Promise<Seen> {
  const head = [`GET ${target} HTTP/1.1`, 'Host: localhost', ...lines, 'Connection: close'];
  const response = await RawClient.exchange(port, [...head, '', ''].join('\r\n'));
  const json = /\{"sliceId".*\}/.exec(response)?.[0];
  if (json === undefined) throw new Error(`The app was not reached: ${response}`);
  return JSON.parse(json);
}

/** Places where a program may put a secret: header lines, and a query. */
interface Places {
  readonly lines?: Readonly<Record<string, string>>;
  readonly query?: string;
}

/** Where one is put that does not belong there. */
const ODD_PLACES: readonly (readonly [string, (secret: string) => Places])[] = [
  ['a password', (secret) => ({ lines: { Authorization: `Basic ${btoa(`x:${secret}`)}` } })],
  ['a user name', (secret) => ({ lines: { Authorization: `Basic ${btoa(`${secret}:`)}` } })],
  ['a token of another scheme', (secret) => ({ lines: { Authorization: `ApiKey ${secret}` } })],
  ['a header of its own', (secret) => ({ lines: { 'X-Api-Key': secret } })],
  ['one of several values', (secret) => ({ lines: { 'X-Keys': `a, "${secret}"; q=1, b` } })],
  ['a parameter', (secret) => ({ query: `key=${secret}` })],
  ['a parameter in percent-encoding', (secret) => ({ query: `key=${percentEncoded(secret)}` })],
  ['a parameter of the page it came from', (secret) => ({ lines: { 'X-Page': `/app?key=${secret}&x=1` } })],
  ['another cookie', (secret) => ({ lines: { Cookie: `theme=dark; k=${secret}` } })],
];

function percentEncoded(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `%${byte.toString(16)}`).join('');
}

/** What the app saw of it, by HTTP and by an upgrade. */
async function whatTheAppSaw({
  lines = {},
  query = '',
}: Places): Promise<Record<'http' | 'upgrade', string>> {
  const { Cookie: cookie, ...others } = lines;
  const headers = {
    ...others,
    Cookie: [`session=${session}`, ...(cookie === undefined ? [] : [cookie])].join('; '),
  };
  const target = `/api/live?a=1&${query}`;
  const { url, rawHeaders } = await seenAt(target, ...Object.entries(headers).map((line) => line.join(': ')));
  const socket = await openSocket(`${gateway.url}${target}`, headers);
  const handshake = await echo(socket, 'headers?');
  socket.terminate();
  const arrivals = await gateway
    .browser()
    .get('/api/arrivals', { headers: { cookie: `session=${session}` } });
  return {
    http: [url, ...rawHeaders].join('\n'),
    upgrade: `${handshake}\n${JSON.stringify(arrivals.body)}`,
  };
}

/** Nor by its other spellings. */
function expectNoneOf(secret: string, text: string): void {
  for (const spelling of [secret, percentEncoded(secret), btoa(`x:${secret}`), btoa(`${secret}:`)])
    expect(text).not.toContain(spelling);
}

describe('the session cookie', () => {
  it.each([
    ['alone', 'session=S', []],
    ['first', 'session=S; theme=dark', ['theme=dark']],
    ['in the middle', 'theme=dark; session=S; lang=en', ['theme=dark; lang=en']],
    ['last', 'theme=dark; session=S', ['theme=dark']],
    ['with blanks around', 'theme=dark;  session = S ; lang=en', ['theme=dark; lang=en']],
    ['twice', 'session=S; a=1; session=S', ['a=1']],
    ['with the prefix __Host-', '__Host-session=S', []],
    ['under both names', 'session=S; b=2; __Host-session=S', ['b=2']],
    ['under all names', '__Secure-session=x; __HOST-session=x; session=S; __host-session=x', []],
    ['without blanks', 'a=1;session=S;b=2', ['a=1;b=2']],
    ['beside names like it', 'mysession=1; session=S; session2=2', ['mysession=1; session2=2']],
    ['beside what is no pair', 'session=S; odd ; b="x y"', ['odd ; b="x y"']],
    ['beside a planted one', '__Host-session=planted; session=S; c=3', ['c=3']],
    ['inside a quoted value', 'd="; session=S; "; e=5', ['d="; "; e=5']],
  ])('never reaches the app: %s; other cookies do', async (_where, cookies, kept) => {
    const headers = await seen(
      `Cookie: ${cookies.replaceAll('=S', `=${session}`).replace('= S', `= ${session}`)}`,
    );
    expect(headers.join('\n')).not.toContain(session);
    expect(valuesOf(headers, 'cookie').map((value) => value.replaceAll(/;\s+/g, '; '))).toEqual(kept);
  });

  it('never reaches the app when cookies come on several lines', async () => {
    const headers = await seen('Cookie: a=1', `cookie: session=${session}`, 'COOKIE: b=2');
    expect(headers.join('\n')).not.toContain(session);
    expect(valuesOf(headers, 'cookie').join('; ')).toBe('a=1; b=2');
  });

  it('never reaches the app by a WebSocket', async () => {
    const socket = await openSocket(`${gateway.url}/api/live`, { cookie: `a=1; session=${session}; b=2` });
    const headers: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(headers.join('\n')).not.toContain(session);
    expect(valuesOf(headers, 'cookie')).toEqual(['a=1; b=2']);
    socket.terminate();
  });
});

describe('the admin key', () => {
  it.each([
    ['X-Admin-Key', [`X-Admin-Key: ${ADMIN_KEY}`]],
    ['X-Admin-Key in capitals, twice', [`X-ADMIN-KEY: ${ADMIN_KEY}`, `x-admin-key: ${ADMIN_KEY}`]],
    ['x_admin_key', [`x_admin_key: ${ADMIN_KEY}`]],
    ['a bearer token', [`Authorization: Bearer ${ADMIN_KEY}`]],
    ['a bearer token, oddly written', [`authorization: bEARER   ${ADMIN_KEY}  `]],
    ['a bearer token behind a tab', [`Authorization: Bearer\t${ADMIN_KEY}`]],
    ['one of two authorizations', ['Authorization: Basic YTpi', `Authorization: Bearer ${ADMIN_KEY}`]],
  ])('never reaches the app as %s', async (_where, lines) => {
    const headers = await seen(`Cookie: session=${session}`, ...lines);
    expect(headers.join('\n')).not.toContain(ADMIN_KEY);
  });

  it("leaves the app's own Authorization alone", async () => {
    for (const value of [
      'Bearer of-the-app',
      'Basic YTpi',
      'Digest username="x"',
      `Bearer ${session.slice(1)}`,
    ]) {
      const headers = await seen(`Cookie: session=${session}`, `Authorization: ${value}`);
      expect(valuesOf(headers, 'authorization')).toEqual([value]);
    }
  });
});

/** By a browser that keeps none of the cookies it is given. */
function answered(headers: string[]): Promise<Answer> {
  const cookie = `session=${session}`;
  return gateway.browser().get(answering({ headers, body: 'ok' }), { headers: { cookie } });
}

async function setCookies(...values: string[]): Promise<string[]> {
  const headers = values.flatMap((value) => ['Set-Cookie', value]);
  const answer = await answered(headers);
  expect(answer.status).toBe(200);
  return answer.headers.getSetCookie();
}

describe.each([
  ['the admin key', () => ADMIN_KEY],
  ['the session id', () => session],
])('%s', (_what, secretOf) => {
  it.each(ODD_PLACES)('never reaches the app as %s, by HTTP or by a WebSocket', async (_where, put) => {
    const secret = secretOf();
    const { http, upgrade } = await whatTheAppSaw(put(secret));
    expectNoneOf(secret, http);
    expectNoneOf(secret, upgrade);
    // Both have arrived, with what stood beside it.
    expect(http).toContain('/api/live?a=1');
    expect(upgrade).toContain('upgrade /api/live?a=1');
  });
});

describe("an app's answer", () => {
  it.each([
    'session=stolen; Path=/',
    'session=; Max-Age=0',
    '__Host-session=stolen; Path=/; Secure',
    '__host-session=stolen',
    '__Secure-session=stolen; Secure',
    '  session =stolen',
    '=session=stolen',
    'session',
  ])('sets no cookie of the gateway’s: %s', async (cookie) => {
    expect(await setCookies(cookie, 'theme=dark', 'sessions=1')).toEqual(['theme=dark', 'sessions=1']);
  });

  it('sets the app’s own cookies, in their order', async () => {
    const own = ['a=session; Path=/', 'b=2', 'mysession=3', 'session_id=4; HttpOnly'];
    expect(await setCookies(...own)).toEqual(own);
  });

  it.each([
    ['Clear-Site-Data', '"EVIL"'],
    ['Alt-Svc', 'h3="EVIL:443"'],
    ['Strict-Transport-Security', 'max-age=0; EVIL'],
    ['Service-Worker-Allowed', '/EVIL'],
    ['NEL', '{"report_to":"EVIL"}'],
    ['Report-To', '{"group":"EVIL"}'],
    ['Reporting-Endpoints', 'default="https://EVIL"'],
    ['Accept-CH', 'EVIL'],
    ['Origin-Agent-Cluster', '?0;EVIL'],
  ])('does not act on the whole origin by %s', async (name, value) => {
    const { status, headers } = await answered([name, value, 'X-App', 'yes']);
    expect(status).toBe(200);
    expect(headers.get('x-app')).toBe('yes');
    expect(headers.get(name) ?? '').not.toContain('EVIL');
  });

  it('keeps the security headers it set, and gets those it did not', async () => {
    const own = ['X-Frame-Options', 'DENY', 'Content-Security-Policy', "default-src 'none'"];
    const { headers } = await answered(own);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'");
    expect(headers.get('cross-origin-resource-policy')).toBe('same-site');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  });
});
