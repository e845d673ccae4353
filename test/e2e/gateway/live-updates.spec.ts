import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { Browser } from '../../support/clients.js';
import { Gateway } from '../../support/gateway.js';

let gateway: Gateway;
let ada: Browser;
let bob: Browser;
let open: Socket[] = [];

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_POOL_SIZE: '2' } });
  [ada, bob] = await Promise.all([gateway.customer('ada@example.com'), gateway.customer('bob@example.com')]);
}, 30_000);

afterEach(() => {
  for (const socket of open) socket.disconnect();
  open = [];
});

afterAll(() => gateway[Symbol.asyncDispose]());

function dial({ cookie }: Browser, transports: string[]): Socket {
  const socket = io(gateway.url, {
    forceNew: true,
    reconnection: false,
    transports,
    extraHeaders: { cookie },
  });
  open.push(socket);
  return socket;
}

/** What the first event of that name tells. */
function heard(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

async function connected(browser: Browser, transports: string[]): Promise<Socket> {
  const socket = dial(browser, transports);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

describe.each([['polling'], ['websocket']])('live updates over Socket.IO by %s', (transport) => {
  it("tell a customer of their own slice, and nothing of another's", async () => {
    const adas = await connected(ada, [transport]);
    const bobs = await connected(bob, [transport]);
    const heardByAda = heard(adas, 'note:created');
    const heardByBob = heard(bobs, 'note:created');
    await ada.post('/api/notes', { title: `of Ada by ${transport}` });
    await bob.post('/api/notes', { title: `of Bob by ${transport}` });
    expect(await heardByAda).toMatchObject({ title: `of Ada by ${transport}` });
    // The first that Bob hears of is his own, though Ada's was written before.
    expect(await heardByBob).toMatchObject({ title: `of Bob by ${transport}` });
  });

  it('are for nobody without a session', async () => {
    const socket = dial(gateway.browser(), [transport]);
    const error = await new Promise<Error>((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('connect', () => reject(new Error('It connected')));
    });
    expect(error.message).toContain(transport === 'polling' ? 'xhr poll error' : 'websocket error');
  });
});

describe('Socket.IO as browsers use it', () => {
  it('begins by polling and goes on by WebSocket', async () => {
    const socket = await connected(ada, ['polling', 'websocket']);
    const { engine } = socket.io;
    if (engine.transport.name !== 'websocket')
      await new Promise((resolve) => engine.once('upgrade', resolve));
    const created = heard(socket, 'note:created');
    await ada.post('/api/notes', { title: 'after the upgrade' });
    expect(await created).toMatchObject({ title: 'after the upgrade' });
  });
});
