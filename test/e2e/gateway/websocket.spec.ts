import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type WebSocket from 'ws';
import type { Browser } from '../../support/clients.js';
import { ECHO_SLICES, echoCustomer, valuesOf } from '../../support/echo.js';
import { Gateway } from '../../support/gateway.js';
import { closeCode, echo, openSocket, refusedUpgrade } from '../../support/sockets.js';
import { soak } from '../../support/soak.js';

const CONNECTIONS = 200;
const FRAMES = soak(1_000_000, 20_000);

let gateway: Gateway;
let customer: Browser;
let live: string;

beforeAll(async () => {
  gateway = await Gateway.start({ env: ECHO_SLICES });
  customer = await echoCustomer(gateway, 'ada@example.com');
  live = `${gateway.url}/api/live`;
}, 30_000);

afterAll(() => gateway[Symbol.asyncDispose]());

/** Sends numbered frames, and fails at the first that does not come back in its turn. */
async function pingPong(socket: WebSocket, frames: number): Promise<void> {
  let expected = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error(`closed at frame ${expected}`)));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (text !== `frame ${expected}`) reject(new Error(`frame ${expected} came as ${text.slice(0, 40)}`));
      else if (++expected === frames) resolve();
    });
  });
  for (let i = 0; i < frames; i++) socket.send(`frame ${i}`);
  await done;
}

describe('a WebSocket through the gateway', () => {
  it('tells the app who is there, at its handshake', async () => {
    const socket = await openSocket(live, { cookie: customer.cookie, 'x-user-email': 'eve@example.com' });
    const headers: string[] = JSON.parse(await echo(socket, 'headers?'));
    expect(valuesOf(headers, 'x-user-email')).toEqual(['ada@example.com']);
    expect(valuesOf(headers, 'cookie')).toEqual([]);
    socket.terminate();
  });

  it(`carries ${FRAMES} frames over ${CONNECTIONS} connections, none lost or reordered`, async () => {
    const opening = Array.from({ length: CONNECTIONS }, () => openSocket(live, { cookie: customer.cookie }));
    const sockets = await Promise.all(opening);
    await Promise.all(sockets.map((socket) => pingPong(socket, FRAMES / CONNECTIONS)));
    await Promise.all(
      sockets.map((socket) => {
        socket.removeAllListeners('close');
        socket.close(1000);
        return closeCode(socket);
      }),
    );
  }, 600_000);

  it('carries large binary messages whole', async () => {
    const socket = await openSocket(live, { cookie: customer.cookie });
    const sent = Buffer.alloc(3_000_000, 'binary');
    const next = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    socket.send(sent);
    expect((await next).equals(sent)).toBe(true);
    socket.terminate();
  });
});

describe('an upgrade that is refused', () => {
  it('is 401 without a session', async () => {
    const { status, body, headers } = await refusedUpgrade(live);
    expect(status).toBe(401);
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401, route: 'auth' });
    expect(headers['x-request-id']).toBe(body['requestId']);
    expect(headers['connection']).toBe('close');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('is 401 with the cookie of a session that does not exist', async () => {
    const { status } = await refusedUpgrade(live, { cookie: `session=${'A'.repeat(43)}` });
    expect(status).toBe(401);
  });

  it('is 404 at a path that leads to no slice', async () => {
    const refused = await refusedUpgrade(`${gateway.url}/auth/me`, { cookie: customer.cookie });
    expect(refused).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', error: 'Not Found' } });
  });

  it('is 502 when the slice does not answer, and 503 when it is stopped', async () => {
    const other = await echoCustomer(gateway);
    const { body } = await other.get('/auth/me');
    await other.get('/api/deaf');
    const dead = await refusedUpgrade(live, { cookie: other.cookie });
    expect(dead).toMatchObject({ status: 502, body: { code: 'BAD_GATEWAY', error: 'bad_gateway' } });
    await gateway.operator().post(`/orchestrator/slices/${body.slice.id}/stop`);
    const stopped = await refusedUpgrade(live, { cookie: other.cookie });
    expect(stopped).toMatchObject({ status: 503, body: { code: 'SLICE_STOPPED', route: 'proxy' } });
  });
});
