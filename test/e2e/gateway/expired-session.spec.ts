import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WebSocket } from 'ws';
import { SessionStore } from '#auth';
import { Clock } from '#common';
import { SocketGuard } from '../../../libs/proxy/src/edge/socket-guard.js';
import { ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { Gateway, type GatewayOptions } from '../../support/gateway.js';
import { closeCode, echo, openSocket } from '../../support/sockets.js';
import { TestClock } from '../../support/test-clock.js';

const DAY_MS = 24 * 3_600_000;
/** RFC 6455 §7.4.1: policy violation. */
const SIGNED_OUT = 1008;

const clock = new TestClock();
const options: GatewayOptions = {
  ...ASSIGNED_SLICES,
  override: (builder) =>
    (ASSIGNED_SLICES.override?.(builder) ?? builder).overrideProvider(Clock).useValue(clock),
};
let app: EchoApp;
let gateway: Gateway;
let replica: Gateway;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(options);
  const { database, dataDir } = gateway;
  replica = await Gateway.start({ ...options, database, dataDir });
}, 30_000);

afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

afterEach(() => {
  jest.restoreAllMocks();
});

function dial({ browser }: Customer): Promise<WebSocket> {
  return openSocket(`${gateway.url}/api/live`, { cookie: browser.cookie });
}

/** Uses the app, and waits until that has extended the session. */
async function use(at: Gateway, { browser }: Customer): Promise<void> {
  const touch = jest.spyOn(at.get(SessionStore), 'touch');
  const { status } = await fetch(`${at.url}/api/x`, { headers: { cookie: browser.cookie } });
  expect(status).toBe(200);
  await expect(touch.mock.results[0]?.value).resolves.toBe(true);
}

describe('the end of a session', () => {
  it('closes its WebSockets within a second, however busy they are, and no others', async () => {
    const customer = await customerWith(gateway, app);
    const socket = await dial(customer);
    clock.advance(29 * DAY_MS);
    const younger = await dial(await customerWith(gateway, app));
    expect(await echo(socket, 'still here')).toBe('still here');
    const closed = closeCode(socket);
    clock.advance(DAY_MS);
    expect(await closed).toBe(SIGNED_OUT);
    expect(await echo(younger, 'still here')).toBe('still here');
    younger.terminate();
  });

  it.each([
    ['here', () => gateway],
    ['on another replica', () => replica],
  ])('is put off by requests beside the WebSocket, %s', async (_where, at) => {
    const customer = await customerWith(gateway, app);
    const socket = await dial(customer);
    clock.advance(29 * DAY_MS);
    await use(at(), customer);
    clock.advance(29 * DAY_MS);
    await gateway.get(SocketGuard).sweep();
    expect(await echo(socket, 'still here')).toBe('still here');
    const find = jest.spyOn(gateway.get(SessionStore), 'find');
    await gateway.get(SocketGuard).sweep();
    expect(find).not.toHaveBeenCalled();
    const closed = closeCode(socket);
    clock.advance(DAY_MS);
    expect(await closed).toBe(SIGNED_OUT);
  });

  it('is asked about again when the database fails just then, and never twice at once', async () => {
    const customer = await customerWith(gateway, app);
    const closed = closeCode(await dial(customer));
    const find = jest.spyOn(gateway.get(SessionStore), 'find');
    find.mockRejectedValueOnce(new Error('connection lost'));
    clock.advance(30 * DAY_MS);
    const guard = gateway.get(SocketGuard);
    const sweep = guard.sweep();
    expect(guard.sweep()).toBe(sweep);
    await sweep;
    expect(find).toHaveBeenCalledTimes(2);
    expect(await closed).toBe(SIGNED_OUT);
  });
});
