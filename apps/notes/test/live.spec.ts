import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { startApp, type TestApp } from './support/app.ts';
import { startPostgres, type TestPostgres } from './support/postgres.ts';

let postgres: TestPostgres;
let app: TestApp;

beforeAll(async () => {
  postgres = await startPostgres();
  app = await startApp({ DATABASE_URL: postgres.url });
});

afterAll(async () => {
  await app.remove();
  await postgres.remove();
});

/** Connects, and resolves with the events heard once there are `count` of them. */
async function listen(
  transport: string,
  count: number,
): Promise<{ socket: Socket; heard: Promise<unknown[]> }> {
  const socket = io(app.url, { transports: [transport], forceNew: true });
  const events: unknown[] = [];
  const heard = new Promise<unknown[]>((resolve) => {
    socket.onAny((name: string, payload: unknown) => {
      if (events.push([name, payload]) === count) resolve(events);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
  });
  return { socket, heard };
}

describe('live updates', () => {
  it('tell every connected client of every change, by either transport', async () => {
    const clients = await Promise.all([listen('websocket', 3), listen('polling', 3)]);
    const created = await app.call<{ id: number }>('POST', '/api/notes', { title: 'one' });
    const { id } = created.body;
    const updated = await app.call('PATCH', `/api/notes/${id}`, { title: 'two' });
    await app.call('DELETE', `/api/notes/${id}`);
    for (const { heard, socket } of clients) {
      expect(await heard).toEqual([
        ['note:created', created.body],
        ['note:updated', updated.body],
        ['note:deleted', { id }],
      ]);
      socket.disconnect();
    }
  });

  it('tell nothing of a change that was refused', async () => {
    const { heard, socket } = await listen('websocket', 1);
    await app.call('POST', '/api/notes', { title: '' });
    await app.call('DELETE', '/api/notes/2000000');
    const real = await app.call('POST', '/api/notes', { title: 'real' });
    expect(await heard).toEqual([['note:created', real.body]]);
    socket.disconnect();
  });
});
