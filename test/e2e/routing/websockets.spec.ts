import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Clock } from '#common';
import { SocketGuard } from '../../../libs/proxy/src/edge/socket-guard.js';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import { valuesOf } from '../../support/echo.js';
import { ADMIN_KEY, Gateway } from '../../support/gateway.js';
import { EchoApps, send } from '../../support/routes.js';
import { closeCode, echo, openSocket, refusedUpgrade } from '../../support/sockets.js';
import { TestClock } from '../../support/test-clock.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** RFC 6455 §7.4.1: policy violation. */
const NOT_ALLOWED_ANY_MORE = 1008;

/** WebSockets on the kinds of routes that config.yml has, and the end of what opened them. */
const clock = new TestClock(Date.now());
let apps: EchoApps;
let gateway: Gateway;

beforeAll(async () => {
  apps = await EchoApps.start('one', 'two', 'build', 'default');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
defaultBackend: "${apps.url('default')}"
pools:
  pair: { backends: ["${apps.url('one')}", "${apps.url('two')}"], health: /api/ready }
routes:
  - { id: pair, path: /pair, pool: pair, auth: [none] }
  - { id: build, path: /build, target: "${apps.url('build')}", auth: [token] }
workers:
  - { method: GET, path: /jobs/live, pool: pair }
`,
    override: (builder) => ASSIGNED_SLICES.override!(builder).overrideProvider(Clock).useValue(clock),
  });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

/** The header lines of the handshake as the upstream saw them. */
async function seenBy(socket: Awaited<ReturnType<typeof openSocket>>): Promise<string[]> {
  return JSON.parse(await echo(socket, 'headers?')) as string[];
}

async function guest(): Promise<Record<string, string>> {
  const { json } = await send(gateway.url, '/auth/guest', { method: 'POST' });
  return { authorization: `Bearer ${json.token}` };
}

async function worker(expiresInDays: number): Promise<Record<string, string>> {
  const { json } = await send(gateway.url, '/api/apikeys/generate', {
    method: 'POST',
    headers: { 'x-admin-key': ADMIN_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'listener', worker_type: 'ping', expires_in_days: expiresInDays }),
  });
  return { authorization: `Bearer ${json.key}` };
}

describe('a WebSocket', () => {
  it('leads a customer without a slice to the default backend', async () => {
    const { browser, email } = await customerWith(gateway, null);
    const socket = await openSocket(`${gateway.url}/api/live`, { cookie: browser.cookie });
    const seen = await seenBy(socket);
    expect(valuesOf(seen, 'host')).toEqual([`127.0.0.1:${apps.portOf('default')}`]);
    expect(valuesOf(seen, 'x-user-email')).toEqual([email]);
    socket.terminate();
    expect(await refusedUpgrade(`${gateway.url}/api/live`)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
  });

  it('leads to the servers of a pool in turn, each by its own name', async () => {
    const hosts: string[] = [];
    for (let i = 0; i < 4; i++) {
      const socket = await openSocket(`${gateway.url}/pair/live`);
      hosts.push(...valuesOf(await seenBy(socket), 'host'));
      socket.terminate();
    }
    const [one, two] = ['one', 'two'].map((name) => `127.0.0.1:${apps.portOf(name)}`);
    expect([
      [one, two, one, two],
      [two, one, two, one],
    ]).toContainEqual(hosts);
  });

  it('is opened by a guest’s token, which the upstream does not get', async () => {
    const socket = await openSocket(`${gateway.url}/build/live`, await guest());
    const seen = await seenBy(socket);
    expect(valuesOf(seen, 'x-gateway-route')).toEqual(['build']);
    expect(valuesOf(seen, 'authorization')).toEqual([]);
    socket.terminate();
  });

  it('is closed when the token that opened it expires, and no earlier', async () => {
    const credentials = await guest();
    const socket = await openSocket(`${gateway.url}/build/live`, credentials);
    const stranger = await openSocket(`${gateway.url}/pair/live`);
    clock.advance(14 * MINUTE_MS);
    await gateway.get(SocketGuard).sweep();
    expect(await echo(socket, 'still here')).toBe('still here');
    const closed = closeCode(socket);
    clock.advance(MINUTE_MS + 1000);
    await gateway.get(SocketGuard).sweep();
    expect(await closed).toBe(NOT_ALLOWED_ANY_MORE);
    expect(await echo(stranger, 'still here')).toBe('still here');
    stranger.terminate();
    expect(await refusedUpgrade(`${gateway.url}/build/live`, credentials)).toMatchObject({ status: 403 });
  });

  it('is closed when the API key that opened it expires, and no earlier', async () => {
    const [short, long] = [await worker(1), await worker(3)];
    const socket = await openSocket(`${gateway.url}/jobs/live`, short);
    const other = await openSocket(`${gateway.url}/jobs/live`, long);
    clock.advance(DAY_MS - MINUTE_MS);
    await gateway.get(SocketGuard).sweep();
    expect(await echo(socket, 'still here')).toBe('still here');
    const closed = closeCode(socket);
    clock.advance(2 * MINUTE_MS);
    await gateway.get(SocketGuard).sweep();
    expect(await closed).toBe(NOT_ALLOWED_ANY_MORE);
    expect(await echo(other, 'still here')).toBe('still here');
    other.terminate();
    expect(await refusedUpgrade(`${gateway.url}/jobs/live`, short)).toMatchObject({ status: 401 });
  });
});
