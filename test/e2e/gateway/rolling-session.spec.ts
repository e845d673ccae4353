import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { SessionStore } from '#auth';
import { Clock } from '#common';
import { ControlConnection } from '#database';
import { ChangeWatch } from '../../../libs/proxy/src/edge/change-watch.js';
import { allHeard } from '../../support/all-heard.js';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { answering, EchoApp } from '../../support/echo.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { StubUpstream } from '../../support/stub-upstream.js';
import { TestClock } from '../../support/test-clock.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const TERM = `Max-Age=${30 * 86_400}; Path=/; HttpOnly; SameSite=Lax`;

const clock = new TestClock();
let app: EchoApp;
let gateway: Gateway;
let touch: jest.SpiedFunction<SessionStore['touch']>;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    override: (builder) =>
      (ASSIGNED_SLICES.override?.(builder) ?? builder).overrideProvider(Clock).useValue(clock),
  });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

beforeEach(() => {
  touch = jest.spyOn(gateway.get(SessionStore), 'touch');
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** Resolves when the store has extended all sessions that were used: no request waits for that. */
async function allExtended(): Promise<void> {
  await Promise.allSettled(touch.mock.results.map(({ value }) => value));
}

/** Cookies that an answer sets, and nothing of what the test's browser makes of them. */
async function cookiesOf({ browser }: Customer, path: string, headers = {}): Promise<string[]> {
  const response = await fetch(gateway.url + path, { headers: { cookie: browser.cookie, ...headers } });
  await response.arrayBuffer();
  // Else a test's clock could reach the old end of a session before its new one is there.
  await allExtended();
  return response.headers.getSetCookie();
}

/** A slice that answers when it is told to. */
async function slowSlice() {
  const answer = Promise.withResolvers<void>();
  const upstream = await StubUpstream.start(async (connection) => {
    await connection.head();
    await answer.promise;
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: own=1\r\n\r\nok');
  });
  return { upstream, answer: answer.resolve };
}

describe('use of the app', () => {
  it('gives the browser its cookie again with the whole term, once a minute', async () => {
    const customer = await customerWith(gateway, app);
    expect(await cookiesOf(customer, '/api/x')).toEqual([]);
    clock.advance(MINUTE_MS - 1);
    expect(await cookiesOf(customer, '/api/x')).toEqual([]);
    clock.advance(1);
    expect(await cookiesOf(customer, '/api/x')).toEqual([`${customer.browser.cookie}; ${TERM}`]);
    expect(await cookiesOf(customer, '/api/x')).toEqual([]);
    clock.advance(MINUTE_MS);
    expect(await cookiesOf(customer, '/api/x')).toHaveLength(1);
  });

  it('keeps one signed in for as long as it goes on, and for 30 days after', async () => {
    const customer = await customerWith(gateway, app);
    for (let month = 0; month < 3; month++) {
      clock.advance(29 * DAY_MS);
      expect(await cookiesOf(customer, '/api/x')).toEqual([`${customer.browser.cookie}; ${TERM}`]);
    }
    clock.advance(30 * DAY_MS);
    expect(await customer.browser.get('/api/x')).toMatchObject({ status: 401 });
  });

  it('keeps the cookies of the app as they are, in their order', async () => {
    const customer = await customerWith(gateway, app);
    clock.advance(MINUTE_MS);
    const own = ['a=1; Path=/app', 'b=2', 'a=3'];
    const headers = own.flatMap((line) => ['Set-Cookie', line]);
    const set = await cookiesOf(customer, answering({ headers }), { origin: gateway.url });
    expect(set).toEqual([...own, `${customer.browser.cookie}; ${TERM}`]);
  });

  it('puts no session where caches share what they keep', async () => {
    const { browser } = await customerWith(gateway, app);
    const asset = answering({ headers: ['Cache-Control', 'public, max-age=3600'] });
    clock.advance(MINUTE_MS);
    const renewing = await browser.get(asset);
    expect(renewing.headers.getSetCookie()).toHaveLength(1);
    expect(renewing.headers.get('cache-control')).toBe('public, max-age=3600, private');
    const next = await browser.get(asset);
    expect(next.headers.get('cache-control')).toBe('public, max-age=3600');
  });

  it('counts where it is a WebSocket', async () => {
    const { browser } = await customerWith(gateway, app);
    clock.advance(MINUTE_MS);
    const socket = new WebSocket(`${gateway.url}/api/live`.replace('http', 'ws'), {
      headers: { cookie: browser.cookie },
    });
    const [answer] = (await once(socket, 'upgrade')) as [IncomingMessage];
    expect(answer.headers['set-cookie']).toEqual([`${browser.cookie}; ${TERM}`]);
    socket.terminate();
  });

  it.each([
    ['is not there', 409, null],
    ['is starting', 503, { port: null, status: 'provisioning' }],
    ['does not answer', 502, { port: 1 }],
  ])('counts where the slice %s', async (_title, status, slice) => {
    const { browser } = await customerWith(gateway, slice);
    clock.advance(MINUTE_MS);
    const { cookie } = browser;
    const answer = await browser.get('/api/x');
    expect(answer.status).toBe(status);
    expect(answer.headers.getSetCookie()).toEqual([`${cookie}; ${TERM}`]);
  });

  it('counts while a person waits for the slice to start', async () => {
    const customer = await customerWith(gateway, { port: null, status: 'provisioning' });
    clock.advance(MINUTE_MS);
    expect(await cookiesOf(customer, '/app/', { accept: 'text/html' })).toHaveLength(1);
  });

  it('counts with the next request where the bus was silent, so that nobody could tell who is signed in', async () => {
    const customer = await customerWith(gateway, app);
    clock.advance(MINUTE_MS);
    const healthy = jest.spyOn(gateway.get(ControlConnection), 'healthy', 'get').mockReturnValue(false);
    expect(await cookiesOf(customer, '/api/x')).toEqual([]);
    healthy.mockRestore();
    expect(await cookiesOf(customer, '/api/x')).toEqual([`${customer.browser.cookie}; ${TERM}`]);
  });

  it("is not what another site's page does in one's name", async () => {
    const customer = await customerWith(gateway, app);
    clock.advance(MINUTE_MS);
    const forged = await gateway.browser().post('/api/x', 'x', {
      cookie: customer.browser.cookie,
      origin: 'https://evil.example',
    });
    expect(forged.status).toBe(403);
    expect(forged.headers.getSetCookie()).toEqual([]);
    // Nor was anything extended: that is still to be done.
    expect(await cookiesOf(customer, '/api/x')).toHaveLength(1);
  });
});

describe('an answer that takes its time', () => {
  it.each([
    ['renews the cookie when it comes', async () => undefined],
    [
      'renews it though the slice changes meanwhile',
      async ({ userId }: Customer, port: number) => {
        await assign(gateway, userId, { port, status: 'failed' });
        await allHeard(gateway);
      },
    ],
  ])('%s', async (_what, meanwhile) => {
    const { upstream, answer } = await slowSlice();
    await using _ = upstream;
    const customer = await customerWith(gateway, upstream);
    clock.advance(MINUTE_MS);
    const answered = cookiesOf(customer, '/api/slow');
    await (await upstream.connection()).head();
    await expect(touch.mock.results.at(-1)?.value).resolves.toBe(true);
    await meanwhile(customer, upstream.port);
    answer();
    expect(await answered).toEqual(['own=1', `${customer.browser.cookie}; ${TERM}`]);
  });

  it.each([
    ['signs out', (customer: Customer) => customer.browser.logout()],
    ['signs in anew', (customer: Customer) => customer.browser.login(customer.email, PASSWORD)],
    [
      'is signed out everywhere',
      (customer: Customer) => gateway.get(SessionStore).revokeAll(customer.userId),
    ],
  ])('brings no old cookie back where the browser %s meanwhile', async (_title, meanwhile) => {
    const { upstream, answer } = await slowSlice();
    await using _ = upstream;
    const customer = await customerWith(gateway, upstream);
    clock.advance(MINUTE_MS);
    const answered = cookiesOf(customer, '/api/slow');
    await (await upstream.connection()).head();
    await meanwhile(customer);
    answer();
    expect(await answered).toEqual(['own=1']);
  });

  it.each([
    ['is gone', () => Promise.resolve(false)],
    ['could not be extended', () => Promise.reject(new Error('connection lost'))],
  ])('brings no cookie where the session %s', async (_title, outcome) => {
    const { upstream, answer } = await slowSlice();
    await using _ = upstream;
    const customer = await customerWith(gateway, upstream);
    clock.advance(MINUTE_MS);
    touch.mockImplementation(outcome);
    const answered = cookiesOf(customer, '/api/slow');
    await (await upstream.connection()).head();
    answer();
    expect(await answered).toEqual(['own=1']);
  });

  it('is no longer waited for when the browser has gone', async () => {
    const { upstream } = await slowSlice();
    await using _ = upstream;
    const { browser } = await customerWith(gateway, upstream);
    clock.advance(MINUTE_MS);
    const ended = jest.spyOn(ChangeWatch.prototype, Symbol.dispose);
    const leaving = new AbortController();
    const request = fetch(`${gateway.url}/api/slow`, {
      headers: { cookie: browser.cookie },
      signal: leaving.signal,
    });
    const connection = await upstream.connection();
    await connection.head();
    const before = ended.mock.calls.length;
    leaving.abort();
    await expect(request).rejects.toThrow();
    await connection.closed;
    expect(ended.mock.calls.length).toBe(before + 1);
  });
});
