import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { echoCustomer, valuesOf, type Seen } from '../support/echo.js';
import { RawCustomer, seenIn } from '../support/raw-customer.js';
import { echo, openSocket } from '../support/sockets.js';

/** The threat: a customer who speaks to their slice as somebody else, or as if from somewhere else. */
const TRUSTED_PROXY = '127.0.0.2';
const EMAIL = 'ada@example.com';

let customer: RawCustomer;
let userId: string;

beforeAll(async () => {
  const env = { TRUST_PROXY: TRUSTED_PROXY };
  customer = await RawCustomer.start({ env, email: EMAIL, name: 'Ada' });
  userId = (await customer.browser.get('/auth/me')).body.user.id;
}, 30_000);

afterAll(() => customer[Symbol.asyncDispose]());

/** The request as the slice saw it, sent with these header lines. */
async function seenBySlice(lines: readonly string[], body = '', localAddress?: string): Promise<Seen> {
  const method = body === '' ? 'GET' : 'POST';
  const close = lines.some((line) => line.startsWith('Connection')) ? [] : ['Connection: close'];
  const session = `Cookie: ${customer.browser.cookie}`;
  const text = [`${method} /api/x HTTP/1.1`, 'Host: a', session, ...close, ...lines, '', body].join('\r\n');
  const [answer] = await customer.exchange(text, localAddress);
  return seenIn(answer);
}

/** The header lines without the session's part in them, as text. */
function textOf({ rawHeaders, rawTrailers }: Pick<Seen, 'rawHeaders' | 'rawTrailers'>): string {
  return [...rawHeaders, ...rawTrailers].join('\n');
}

function expectTheTruth(rawHeaders: readonly string[]): void {
  expect(valuesOf(rawHeaders, 'x-user-email')).toEqual([EMAIL]);
  expect(valuesOf(rawHeaders, 'x-user-sub')).toEqual([userId]);
  expect(valuesOf(rawHeaders, 'x-user-name')).toEqual(['Ada']);
  expect(valuesOf(rawHeaders, 'x-gateway-route')).toEqual([]);
}

describe('Nobody can speak in another’s name to a slice', () => {
  it.each([
    [
      'by plain headers',
      ['x-user-email: eve@x', 'x-user-sub: eve', 'x-user-name: Eve', 'x-gateway-route: eve'],
    ],
    [
      'in another case',
      ['X-USER-EMAIL: eve@x', 'X-User-Sub: eve', 'X-uSER-nAME: Eve', 'X-Gateway-ROUTE: eve'],
    ],
    [
      'with underscores',
      ['x_user_email: eve@x', 'X_User-Sub: eve', 'x-user_name: Eve', 'x_gateway_route: eve'],
    ],
    ['by duplicates', [`x-user-email: ${EMAIL}`, 'x-user-email: eve@x', 'X-User-Email: eve@x']],
    ['by empty ones', ['x-user-email:', 'x-user-sub: ', 'x-user-name:\t', 'x-gateway-route:']],
    ['by listing the true ones in Connection', ['Connection: close, x-user-email, x-user-sub, x-user-name']],
    ['by listing them in another Connection', ['Connection: x-user-email', 'Connection: close, X-User-Sub']],
    ['by listing forged ones in Connection', ['Connection: close, X-User-Email', 'x-user-email: eve@x']],
    ['by listing one with an underscore', ['Connection: close, x_user_email', 'x_user_email: eve@x']],
    [
      'beside an upgrade that is ignored',
      ['Connection: Upgrade, x-user-email', 'Upgrade: h2c', 'X-User-Sub: eve'],
    ],
  ])('%s', async (_how, lines) => {
    const seen = await seenBySlice(lines);
    expectTheTruth(seen.rawHeaders);
    expect(textOf(seen)).not.toMatch(/eve/i);
  });

  it('in trailers', async () => {
    const lines = ['Transfer-Encoding: chunked', 'Trailer: x-user-email'];
    const seen = await seenBySlice(lines, '2\r\nhi\r\n0\r\nx-user-email: eve@x\r\nX-User-Sub: eve\r\n\r\n');
    expectTheTruth(seen.rawHeaders);
    expect(seen.body.bytes).toBe(2);
    expect(textOf(seen)).not.toMatch(/eve/i);
  });

  it('under Expect: 100-continue', async () => {
    const lines = ['Expect: 100-continue', 'Content-Length: 2', 'x-user-email: eve@x', 'X-User-Sub: eve'];
    const seen = await seenBySlice(lines, 'hi');
    expectTheTruth(seen.rawHeaders);
    expect(seen.body.bytes).toBe(2);
    expect(textOf(seen)).not.toMatch(/eve/i);
  });

  it('by a WebSocket', async () => {
    const forged = {
      'x-user-email': 'eve@x',
      'X-USER-SUB': 'eve',
      x_user_name: 'Eve',
      'x-gateway-route': 'eve',
    };
    const socket = await openSocket(`${customer.gateway.url}/api/live`, {
      cookie: customer.browser.cookie,
      ...forged,
    });
    const rawHeaders: string[] = JSON.parse(await echo(socket, 'headers?'));
    socket.terminate();
    expectTheTruth(rawHeaders);
    expect(rawHeaders.join('\n')).not.toMatch(/eve/i);
  });

  it('by a name, where the account has none', async () => {
    const nameless = await echoCustomer(customer.gateway);
    const { body } = await nameless.get('/api/x', { headers: { 'x-user-name': 'Eve' } });
    expect(valuesOf(body.rawHeaders, 'x-user-name')).toEqual([]);
  });

  it('by a name that is not ASCII: it is percent-encoded', async () => {
    const zoe = await echoCustomer(customer.gateway, undefined, 'Zoë 100% 真');
    const { body } = await zoe.get('/api/x');
    expect(valuesOf(body.rawHeaders, 'x-user-name')).toEqual(['Zo%C3%AB 100%25 %E7%9C%9F']);
  });
});

describe('Where a request comes from', () => {
  const CLAIMS = [
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Port: 443',
    'x_forwarded_for: 1.2.3.4',
    'X-Real-IP: 1.2.3.4',
    'Forwarded: for=1.2.3.4',
  ];

  it('is told by the socket, whatever a stranger claims', async () => {
    const { rawHeaders } = await seenBySlice(CLAIMS);
    expect(valuesOf(rawHeaders, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(rawHeaders, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(rawHeaders, 'x-forwarded-host')).toEqual(['a']);
    for (const name of ['x-forwarded-port', 'x-real-ip', 'forwarded'])
      expect(valuesOf(rawHeaders, name)).toEqual([]);
  });

  it('is continued for a trusted proxy', async () => {
    const { rawHeaders } = await seenBySlice(CLAIMS, '', TRUSTED_PROXY);
    expect(valuesOf(rawHeaders, 'x-forwarded-for')).toEqual([`1.2.3.4, ${TRUSTED_PROXY}`]);
    expect(valuesOf(rawHeaders, 'x-forwarded-proto')).toEqual(['https']);
    expect(valuesOf(rawHeaders, 'x-forwarded-host')).toEqual(['evil']);
    expect(valuesOf(rawHeaders, 'x-real-ip')).toEqual(['1.2.3.4']);
    expect(valuesOf(rawHeaders, 'forwarded')).toEqual([]);
  });
});

describe('What is the application’s own', () => {
  it('keeps its order, case and duplicates', async () => {
    const { rawHeaders } = await seenBySlice(['X-B: 1', 'x-A: 2', 'X-B: 3', 'Accept: */*']);
    const at = rawHeaders.indexOf('X-B');
    expect(rawHeaders.slice(at, at + 8)).toEqual(['X-B', '1', 'x-A', '2', 'X-B', '3', 'Accept', '*/*']);
  });

  it('passes with the request id, a Via, and nothing of the connection', async () => {
    const { rawHeaders } = await seenBySlice([
      'Connection: close, X-Hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=1',
      'TE: trailers',
      'Proxy-Authorization: x',
    ]);
    expect(valuesOf(rawHeaders, 'via')).toEqual([expect.stringMatching(/^1\.1 sluice-[0-9a-f]{8}$/)]);
    expect(valuesOf(rawHeaders, 'te')).toEqual(['trailers']);
    expect(valuesOf(rawHeaders, 'x-request-id')).toHaveLength(1);
    for (const name of ['x-hop', 'keep-alive', 'proxy-authorization'])
      expect(valuesOf(rawHeaders, name)).toEqual([]);
  });

  it('Host and Content-Length can’t be taken away by listing them in Connection', async () => {
    const lines = ['Connection: close, host, content-length', 'Content-Length: 2'];
    const { rawHeaders, body } = await seenBySlice(lines, 'hi');
    expect(valuesOf(rawHeaders, 'host')).toEqual(['a']);
    expect(valuesOf(rawHeaders, 'content-length')).toEqual(['2']);
    expect(body.bytes).toBe(2);
  });
});
