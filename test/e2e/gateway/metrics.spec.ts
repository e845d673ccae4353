import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { io } from 'socket.io-client';
import { Metrics } from '#common';
import { BackendServer } from '../../support/backend-server.js';
import type { Browser, OperatorClient } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { ADMIN_KEY, Gateway } from '../../support/gateway.js';

let backend: BackendServer;
let stream: { readonly origin: string; close(): void };
let gateway: Gateway;
let operator: OperatorClient;
let customer: Browser;

beforeAll(async () => {
  backend = await BackendServer.start(204);
  stream = await startStream();
  gateway = await Gateway.start({
    configFile: `
routes:
  - { id: open, path: /open, target: ${backend.url}, auth: [none] }
  - { id: stream, path: /stream, target: '${stream.origin}', auth: [none] }
  - { id: closed, path: /closed, target: ${backend.url}, auth: [session] }
  - { id: dead, path: /dead, target: 'http://127.0.0.1:1', auth: [none] }
pools:
  input: { backends: ['${backend.url}', 'http://127.0.0.1:1'] }
`,
  });
  operator = gateway.operator();
  customer = await gateway.customer();
}, 30_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  stream.close();
});

/** An upstream whose answers begin, and never end. */
async function startStream(): Promise<typeof stream> {
  const server = createServer((_, response) => void response.writeHead(200).write('begun'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${Object(server.address()).port}`;
  return { origin, close: () => server.close().closeAllConnections() };
}

const text = async (): Promise<string> => (await operator.get('/metrics')).body;

/** The value of a series; 0 where there is none. */
async function value(name: string, labels: Record<string, string> = {}): Promise<number> {
  const lines = (await text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const found = lines.find((line) =>
    Object.entries(labels).every(([label, wanted]) => line.includes(`${label}="${wanted}"`)),
  );
  return found === undefined ? 0 : Number(found.split(' ').at(-1));
}

const requests = (labels: Record<string, string>) =>
  value('sluice_http_request_duration_seconds_count', labels);

const refused = () => value('sluice_upstream_errors_total', { target: 'route', reason: 'refused' });
const hits = () => value('sluice_session_cache_lookups_total', { result: 'hit' });
const misses = () => value('sluice_session_cache_lookups_total', { result: 'miss' });

/** Does it, and says by how much a series has grown. */
async function growth(of: () => Promise<number>, doing: () => Promise<unknown>): Promise<number> {
  const before = await of();
  await doing();
  await eventually(async () => expect(await of()).toBeGreaterThan(before));
  return (await of()) - before;
}

describe('the metrics', () => {
  it.each([
    ['a route', '/open/x?y', { route: 'open', target: 'route', method: 'GET', status: '2xx' }],
    ['a refusal on a route', '/closed', { route: 'closed', target: 'route', method: 'GET', status: '4xx' }],
    ['an upstream that is down', '/dead', { route: 'dead', target: 'route', method: 'GET', status: '5xx' }],
    ['an endpoint', '/admin/users', { route: '/admin/users', target: 'own', status: '4xx' }],
    ['a path that leads nowhere', '/no/such/file', { route: 'files', target: 'own', status: '4xx' }],
    ['an ambiguous path', '/open%2f..', { route: 'none', target: 'none', status: '4xx' }],
  ])('count a request to %s', async (_, path, labels) => {
    expect(
      await growth(
        () => requests(labels),
        () => gateway.browser().get(path),
      ),
    ).toBe(1);
  });

  it('count what goes to slices together, whoever it is for', async () => {
    const labels = { route: '/api', target: 'slice', method: 'GET', status: '2xx' };
    expect(
      await growth(
        () => requests(labels),
        () => customer.get('/api/notes'),
      ),
    ).toBe(1);
    expect(await value('sluice_http_request_duration_seconds_sum', labels)).toBeGreaterThan(0);
  });

  it('tell how long an answer takes to begin, while it goes on', async () => {
    const labels = { route: 'stream', target: 'route' };
    const heads = () => value('sluice_http_time_to_head_seconds_count', labels);
    const leaving = new AbortController();
    await fetch(`${gateway.url}/stream`, { signal: leaving.signal });
    expect([await heads(), await requests(labels)]).toEqual([1, 0]);
    await growth(
      () => requests(labels),
      async () => leaving.abort(),
    );
    expect(await heads()).toBe(1);
  });

  it('tell how long was waited for an answer that did not come', async () => {
    const labels = { route: 'dead', target: 'route' };
    const heads = () => value('sluice_http_time_to_head_seconds_count', labels);
    expect(await growth(heads, () => gateway.browser().get('/dead'))).toBe(1);
  });

  it('tell why upstreams failed', async () => {
    expect(await growth(refused, () => gateway.browser().get('/dead'))).toBe(1);
  });

  it('tell how often a session was known', async () => {
    await customer.get('/api/notes');
    const missed = await misses();
    expect(await growth(hits, () => customer.get('/api/notes'))).toBe(1);
    expect(await misses()).toBe(missed);
    await growth(misses, () =>
      gateway.browser().get('/api/notes', { headers: { cookie: `session=${'x'.repeat(43)}` } }),
    );
  });

  it('count the WebSockets that are open', async () => {
    expect(await value('sluice_websockets_open')).toBe(0);
    const socket = io(gateway.url, {
      transports: ['websocket'],
      extraHeaders: { cookie: customer.cookie, origin: gateway.url },
    });
    try {
      await eventually(async () => expect(await value('sluice_websockets_open')).toBe(1));
      expect(await requests({ route: '/socket.io', target: 'slice', status: '1xx' })).toBe(1);
    } finally {
      socket.close();
    }
    await eventually(async () => expect(await value('sluice_websockets_open')).toBe(0));
  });

  it('tell of slices, pools, the database and the process', async () => {
    expect(await value('sluice_slices', { status: 'active' })).toBe(1);
    expect(await value('sluice_slices', { status: 'failed' })).toBe(0);
    await eventually(async () => {
      expect(await value('sluice_pool_backends', { pool: 'input', state: 'healthy' })).toBe(1);
      expect(await value('sluice_pool_backends', { pool: 'input', state: 'unhealthy' })).toBe(1);
    });
    expect(await value('sluice_database_connections', { state: 'idle' })).toBeGreaterThan(0);
    // Its own question about the slices is in the line at that moment, and has a connection to take.
    expect(await value('sluice_database_connections', { state: 'waited_for' })).toBe(0);
    expect(
      await value('sluice_reconcile_step_duration_seconds_count', { step: 'start', outcome: 'done' }),
    ).toBe(1);
    expect(await value('sluice_process_resident_memory_bytes')).toBeGreaterThan(1e7);
    await eventually(async () =>
      expect(await text()).toContain('sluice_event_loop_lag_seconds{quantile="0.99"}'),
    );
  });

  it('have a line for each that is registered, and hold no customer, address or path', async () => {
    const all = await text();
    for (const name of gateway.get(Metrics).names) expect(all).toContain(`# TYPE ${name} `);
    const { body: page } = await operator.get('/admin/users');
    for (const { id, email } of page.users) {
      expect(all).not.toContain(id);
      expect(all).not.toContain(email);
    }
    expect(all).not.toMatch(/127\.0\.0\.1|no\/such\/file|\/open\/x/);
  });

  it('are for the admin key, as Prometheus sends it', async () => {
    const { status, headers } = await gateway
      .browser()
      .get('/metrics', { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect((await gateway.browser().get('/metrics')).status).toBe(401);
    expect((await customer.get('/metrics')).status).toBe(403);
  });
});
