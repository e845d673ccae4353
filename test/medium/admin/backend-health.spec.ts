import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthLimits } from '#auth';
import { type FileSettings, SettingsInForce } from '#config';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BackendServer } from '../../support/backend-server.js';
import type { OperatorClient } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';

/** Nothing listens there. */
const URL = 'http://127.0.0.1:9';

let gateway: Gateway;
let operator: OperatorClient;
let atStart: FileSettings;

beforeAll(async () => {
  gateway = await Gateway.start(ASSIGNED_SLICES);
  operator = gateway.operator();
  atStart = gateway.get(SettingsInForce).current;
});
afterAll(() => gateway[Symbol.asyncDispose]());
afterEach(() => configure(atStart));

/** As if config.yml said so. */
function configure(change: Partial<FileSettings>): void {
  const settings = gateway.get(SettingsInForce);
  settings.replace({ ...settings.current, ...change });
}

const add = (pool: string, url: string) => operator.post(`/admin/pools/${pool}/backends`, { url });

describe('the health of backends', () => {
  it('is found out as soon as they are there, and counted', async () => {
    await using good = await BackendServer.start();
    await using bad = await BackendServer.start(500);
    await operator.post('/admin/pools', { name: 'jobs', health: '/up' });
    for (const pool of ['input', 'jobs']) {
      for (const { url } of [good, bad]) await add(pool, url);
    }
    await eventually(async () => {
      expect((await operator.get('/api/gateway/stats')).body).toEqual({
        input_backends: 1,
        output_backends: 0,
        total_backends: 2,
        pools: { input: 1, jobs: 1, output: 0 },
      });
    });
    const health = (await operator.get('/admin/health')).body;
    expect(health[good.url]).toEqual({
      status: 'up',
      lastUp: expect.any(Number),
      firstDownAt: null,
      notifiedDown: false,
      lastCheck: expect.any(Number),
      latencyMs: expect.any(Number),
    });
    expect(health[bad.url]).toEqual({
      status: 'down',
      lastUp: null,
      firstDownAt: expect.any(Number),
      notifiedDown: false,
      lastCheck: expect.any(Number),
      latencyMs: null,
    });
  });

  it('is watched of mappings and the default backend as well, and stays known when others change', async () => {
    await using server = await BackendServer.start();
    configure({ defaultBackend: server.url });
    const state = async () => (await operator.get('/admin/health')).body[server.url];
    await eventually(async () => expect((await state()).status).toBe('up'));
    const before = await state();
    configure({ pools: [{ name: 'input', backends: [URL], healthPath: '/health' }] });
    await add('output', `${URL}/other`);
    expect(await state()).toEqual(before);
    expect(server.asked).toEqual(['HEAD /']);
    configure({ defaultBackend: null });
    expect(await state()).toBeUndefined();
  });
});

describe('GET /api/gateway/stats', () => {
  it('is limited per address, as the paths of workers are', async () => {
    const limits = Object.assign(new AuthLimits(), { apiKeysPerAddress: 2 });
    await using limited = await Gateway.start({
      ...ASSIGNED_SLICES,
      override: (builder) => builder.overrideProvider(AuthLimits).useValue(limits),
    });
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await limited.operator().get('/api/gateway/stats')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});
