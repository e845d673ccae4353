import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeyUsage, AuthLimits } from '#auth';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { answering, valuesOf } from '../../support/echo.js';
import { ADMIN_KEY, Gateway } from '../../support/gateway.js';
import { EchoApps, send } from '../../support/routes.js';
import { closeCode, openSocket, refusedUpgrade } from '../../support/sockets.js';

/** Programs outside that fetch work and bring results, through the one public address there is. */
let apps: EchoApps;
let gateway: Gateway;

beforeAll(async () => {
  apps = await EchoApps.start('input', 'output', 'jobs');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
pools:
  input: { backends: ["${apps.url('input')}"], health: /api/ready }
  output: { backends: ["${apps.url('output')}/collector"], health: /api/ready }
  jobs: { backends: ["${apps.url('jobs')}"], health: /api/ready }
workers:
  - { method: GET, path: /jobs/next, pool: jobs, upstreamPath: /api/next, workerTypes: [render] }
  - { method: GET, path: /jobs/live, pool: jobs }
  - { method: PUT, path: /jobs/nowhere, pool: empty }
`,
  });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

const operator = { 'x-admin-key': ADMIN_KEY, 'content-type': 'application/json' };

async function newKey(more: Record<string, unknown> = {}): Promise<{ id: string; key: string }> {
  const body = JSON.stringify({ name: 'External Ping Worker #1', worker_type: 'ping', ...more });
  const { status, json } = await send(gateway.url, '/api/apikeys/generate', {
    method: 'POST',
    headers: operator,
    body,
  });
  expect(status).toBe(201);
  return json;
}

const bearing = (key: string, more: Record<string, string> = {}) => ({
  authorization: `Bearer ${key}`,
  ...more,
});

describe('a worker', () => {
  it('fetches a target from the input services', async () => {
    const { key } = await newKey();
    const told = answering({ headers: ['content-type', 'text/plain'], body: '203.0.113.42' }).slice(
      '/api/told'.length,
    );
    const answer = await send(gateway.url, `/api/gateway/target${told}`, { headers: bearing(key) });
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: '203.0.113.42' });
    const { seen } = await send(gateway.url, '/api/gateway/target?a=1', { headers: bearing(key) });
    expect(seen).toMatchObject({ sliceId: 'input', method: 'GET', url: '/target?a=1' });
    expect(valuesOf(seen.rawHeaders, 'authorization')).toEqual([]);
  });

  it('brings a result to the output services', async () => {
    const { key } = await newKey();
    const body = JSON.stringify({
      source: '203.0.113.1',
      target: '203.0.113.42',
      ping: { sent: 4, received: 4 },
    });
    const headers = bearing(key, { 'content-type': 'application/json' });
    const { status, seen } = await send(gateway.url, '/api/gateway/result', {
      method: 'POST',
      headers,
      body,
    });
    expect({ status, app: seen.sliceId, url: seen.url, bytes: seen.body.bytes }).toEqual({
      status: 200,
      app: 'output',
      url: '/collector/result',
      bytes: body.length,
    });
  });

  it('has the paths that config.yml declares, for its type of worker', async () => {
    const [ping, render] = [await newKey(), await newKey({ worker_type: 'render' })];
    const { seen } = await send(gateway.url, '/jobs/next', { headers: bearing(render.key) });
    expect(seen).toMatchObject({ sliceId: 'jobs', url: '/api/next' });
    expect(await send(gateway.url, '/jobs/next', { headers: bearing(ping.key) })).toMatchObject({
      status: 403,
      json: { code: 'API_KEY_FORBIDDEN' },
    });
    expect(
      (await send(gateway.url, '/jobs/next', { method: 'POST', headers: bearing(render.key) })).status,
    ).toBe(404);
  });

  it('is held to the scopes of its key', async () => {
    const { key } = await newKey({ scopes: ['GET /api/gateway/*'] });
    expect((await send(gateway.url, '/api/gateway/target', { headers: bearing(key) })).status).toBe(200);
    const refused = await send(gateway.url, '/api/gateway/result', { method: 'POST', headers: bearing(key) });
    expect(refused).toMatchObject({ status: 403, json: { code: 'API_KEY_FORBIDDEN' } });
  });

  it('is told when no backend is there', async () => {
    const { key } = await newKey();
    const answer = await send(gateway.url, '/jobs/nowhere', { method: 'PUT', headers: bearing(key) });
    expect(answer).toMatchObject({ status: 503, json: { code: 'NO_HEALTHY_BACKEND' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([
    ['no key', {}],
    ['a key that is none', bearing(`slu_${'A'.repeat(43)}`)],
    ['another token', bearing('nonsense')],
    ['the admin key', { 'x-admin-key': ADMIN_KEY }],
  ])('is 401 with %s', async (_what, headers) => {
    for (const path of ['/api/gateway/target', '/jobs/next']) {
      expect(await send(gateway.url, path, { headers })).toMatchObject({
        status: 401,
        json: { code: 'UNAUTHENTICATED' },
      });
    }
  });

  it('is shut out as soon as its key is revoked, its WebSockets too', async () => {
    const { id, key } = await newKey();
    const socket = await openSocket(`${gateway.url}/jobs/live`, bearing(key));
    const closed = closeCode(socket);
    await send(gateway.url, `/api/apikeys/${id}`, { method: 'DELETE', headers: operator });
    expect((await send(gateway.url, '/api/gateway/target', { headers: bearing(key) })).status).toBe(401);
    expect(await closed).toBe(1008);
    expect(await refusedUpgrade(`${gateway.url}/jobs/live`, bearing(key))).toMatchObject({ status: 401 });
  });

  it('has its requests counted', async () => {
    const { id, key } = await newKey();
    for (let i = 0; i < 3; i++) await send(gateway.url, '/api/gateway/target', { headers: bearing(key) });
    await gateway.get(ApiKeyUsage).flush();
    const { json } = await send(gateway.url, '/api/apikeys/list', { headers: operator });
    expect(json.find((entry: { id: string }) => entry.id === id)).toMatchObject({
      request_count: 3,
      last_used_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });
});

describe('a flood of workers', () => {
  it('is limited by key and by address', async () => {
    await using limited = await Gateway.start({
      ...ASSIGNED_SLICES,
      configFile: `pools: { input: { backends: ["${apps.url('input')}"], health: /api/ready } }`,
      override: (builder) =>
        ASSIGNED_SLICES.override!(builder)
          .overrideProvider(AuthLimits)
          .useValue(new AuthLimits({ perApiKey: 2, apiKeysPerAddress: 6 })),
    });
    const made = await send(limited.url, '/api/apikeys/generate', {
      method: 'POST',
      headers: operator,
      body: JSON.stringify({ name: 'one', worker_type: 'ping' }),
    });
    const headers = bearing(made.json.key);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++)
      statuses.push((await send(limited.url, '/api/gateway/target', { headers })).status);
    expect(statuses).toEqual([200, 200, 429]);
    // The making of the key counts as well: that is the fifth of this address.
    expect((await send(limited.url, '/api/gateway/target')).status).toBe(401);
    expect((await send(limited.url, '/api/gateway/target')).status).toBe(401);
    const refused = await send(limited.url, '/api/gateway/target');
    expect(refused).toMatchObject({ status: 429, json: { code: 'RATE_LIMITED' } });
    expect(refused.headers).toMatchObject({
      'retry-after': expect.any(String),
      'ratelimit-limit': '6',
      'ratelimit-remaining': '0',
    });
  });
});
