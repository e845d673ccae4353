import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Slice } from '#database';
import { BackendServer } from '../../support/backend-server.js';
import type { OperatorClient } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';

let gateway: Gateway;
let operator: OperatorClient;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' } });
  operator = gateway.operator();
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const slices = () => gateway.get(DataSource).getRepository(Slice);
let nextPort = 40_000;
const register = async (body: Record<string, unknown> = {}): Promise<any> => {
  const answer = await operator.post('/admin/slices', { port: nextPort++, ...body });
  expect(answer.status).toBe(201);
  return answer.body;
};
const statusOf = (id: number, status: string) => operator.post(`/admin/slices/${id}/status`, { status });
const remove = (id: number, query = '') => operator.send('DELETE', `/admin/slices/${id}${query}`);

describe('a slice that is registered', () => {
  it('is active where it was said to be, and no container, role or database is made for it', async () => {
    const slice = await register({ host: '10.0.0.7', port: 8081, name: 'elsewhere' });
    expect(slice).toMatchObject({
      name: 'elsewhere',
      status: 'active',
      runtime: 'external',
      host: '10.0.0.7',
      port: 8081,
      owner: null,
    });
    const { body } = await operator.get('/orchestrator/status');
    expect(body.containers.total).toBe(0);
  });

  it('goes to the next customer who signs up, who is served by it', async () => {
    await slices().update({ claimable: true }, { claimable: false });
    await using app = await BackendServer.start();
    const slice = await register({ port: app.port });
    const browser = gateway.browser();
    const { body } = await browser.register(`${crypto.randomUUID()}@example.com`, PASSWORD);
    expect(body).toMatchObject({ sliceAssigned: true, slice: { id: slice.id, status: 'active' } });
    await eventually(async () => expect((await browser.get('/api/anything')).status).toBe(200));

    expect((await statusOf(slice.id, 'stopped')).body.status).toBe('stopped');
    await eventually(async () =>
      expect((await browser.get('/api/anything')).body.code).toBe('SLICE_STOPPED'),
    );
    await statusOf(slice.id, 'active');
    await eventually(async () => expect((await browser.get('/api/anything')).status).toBe(200));

    expect((await remove(slice.id)).body.code).toBe('SLICE_IN_USE');
    expect((await remove(slice.id, '?force=true')).status).toBe(204);
    await eventually(async () => expect((await browser.get('/api/anything')).body.code).toBe('NO_SLICE'));
  });

  it.each(['provisioning', 'active', 'stopped', 'failed'])(
    'is %s when that is said, and stays so',
    async (status) => {
      const { id } = await register();
      await statusOf(id, status === 'active' ? 'failed' : 'active');
      expect((await statusOf(id, status)).body).toMatchObject({ id, status });
      // What the loop would take for a drift it would put right within a moment.
      await operator.provision();
      expect((await operator.get(`/orchestrator/slices/${id}`)).body.status).toBe(status);
    },
  );

  it.each(['provisioning', 'failed', 'stopped'])('is still %s under another name', async (status) => {
    const { id } = await register();
    await statusOf(id, status);
    const name = `renamed-${status}`;
    const renamed = await operator.send('PATCH', `/orchestrator/slices/${id}`, { body: { name } });
    expect([renamed.status, renamed.body]).toEqual([200, expect.objectContaining({ name, status })]);
    // What the loop would take for a drift it would put right within a moment.
    await operator.provision();
    expect((await operator.get(`/orchestrator/slices/${id}`)).body).toMatchObject({ name, status });
  });

  it('can be stopped, started, renamed and let go of as any other, and not be made of anything else', async () => {
    const { id } = await register();
    expect((await operator.post(`/orchestrator/slices/${id}/stop`)).body.status).toBe('stopped');
    expect((await operator.post(`/orchestrator/slices/${id}/start`)).body.status).toBe('active');
    const renamed = await operator.send('PATCH', `/orchestrator/slices/${id}`, { body: { name: 'renamed' } });
    expect(renamed.body).toMatchObject({ name: 'renamed', status: 'active' });
    const remade = await operator.send('PATCH', `/orchestrator/slices/${id}`, { body: { memory: '64m' } });
    expect([remade.status, remade.body.code]).toEqual([409, 'SLICE_NOT_MANAGED']);
    expect((await operator.destroy(id)).status).toBe(200);
  });

  it('frees its address when it is let go of, again and again', async () => {
    const { id, port } = await register();
    expect((await operator.post('/admin/slices', { port })).body.code).toBe('SLICE_ADDRESS_TAKEN');
    expect((await remove(id)).status).toBe(204);
    expect((await remove(id)).status).toBe(204);
    expect((await operator.get(`/orchestrator/slices/${id}`)).status).toBe(404);
    await register({ port });
  });

  it('has an address of its own, also when two are registered at once', async () => {
    const port = nextPort++;
    const answers = await Promise.all([1, 2, 3].map(() => operator.post('/admin/slices', { port })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  });

  it('keeps its port of the range from the slices that Sluice runs', async () => {
    const { from } = gateway.config.slices.portRange;
    const [free] = await gateway
      .get(DataSource)
      .query('SELECT port FROM slice_port WHERE slice_id IS NULL ORDER BY available_at, port LIMIT 1');
    expect(free.port).toBeGreaterThanOrEqual(from);
    await register({ port: free.port });
    const { body } = await operator.provision();
    expect(body.port).not.toBe(free.port);
    const taken = await operator.post('/admin/slices', { port: body.port });
    expect([taken.status, taken.body.code]).toEqual([409, 'SLICE_ADDRESS_TAKEN']);
  }, 20_000);

  it.each([
    {},
    { port: 0 },
    { port: 65_536 },
    { port: '80' },
    { port: 80.5 },
    { port: 80, host: 'a b' },
    { port: 80, host: 'http://x' },
    { port: 80, name: 'A!' },
    { port: 80, owner: 'x' },
  ])('is refused as %j', async (body) => {
    const answer = await operator.post('/admin/slices', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('is not the gateway itself', async () => {
    const answer = await operator.post('/admin/slices', { port: Number(new URL(gateway.url).port) });
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });
});

describe('a slice that Sluice runs', () => {
  it('is stopped and started by its status, and ended by destroy alone', async () => {
    const { body: slice } = await operator.provision();
    expect((await statusOf(slice.id, 'stopped')).body.status).toBe('stopped');
    expect((await statusOf(slice.id, 'active')).body.status).toBe('active');
    const failed = await statusOf(slice.id, 'failed');
    expect([failed.status, failed.body.code]).toEqual([409, 'SLICE_MANAGED']);
    const gone = await remove(slice.id, '?force=true');
    expect([gone.status, gone.body.code]).toEqual([409, 'SLICE_MANAGED']);
    expect((await operator.get(`/orchestrator/slices/${slice.id}`)).body.status).toBe('active');
  }, 20_000);

  it.each(['999999999', '0', '-1', 'abc', '1e3', '99999999999'])('is none of the number %s', async (id) => {
    const { status } = await operator.post(`/admin/slices/${id}/status`, { status: 'active' });
    expect(status).toBe(id === '999999999' ? 404 : 400);
    expect((await operator.send('DELETE', `/admin/slices/${id}`)).status).toBe(
      id === '999999999' ? 404 : 400,
    );
  });
});

describe('GET /admin/slices', () => {
  it('pages through all live slices, each once, and counts them', async () => {
    for (let i = 0; i < 3; i++) await register();
    const seen: number[] = [];
    for (let page = 1; ; page++) {
      const { body } = await operator.get(`/admin/slices?page=${page}&pageSize=3`);
      seen.push(...body.slices.map(({ id }: { id: number }) => id));
      if (body.slices.length < 3) {
        expect(body.total).toBe(seen.length);
        break;
      }
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(
      ((await operator.get('/orchestrator/slices')).body as { id: number }[]).map(({ id }) => id),
    );
  });

  it('finds by name, number and owner, and by status', async () => {
    const { id } = await register({ name: 'to-be-found' });
    const email = `${crypto.randomUUID()}@example.com`;
    await slices().update({ claimable: true }, { claimable: false });
    await slices().update({ id }, { claimable: true });
    await gateway.browser().register(email, PASSWORD);
    for (const search of ['o-be-f', String(id), email.slice(3, 20).toUpperCase()]) {
      const { body } = await operator.get(`/admin/slices?search=${search}`);
      expect(body.slices).toEqual([
        expect.objectContaining({ id, ownerEmail: email, desired: 'running', claimable: false }),
      ]);
    }
    expect((await operator.get('/admin/slices?search=%25')).body.slices).toEqual([]);
    await statusOf(id, 'failed');
    const { body } = await operator.get('/admin/slices?status=failed&pageSize=200');
    expect(body.slices.every(({ status }: { status: string }) => status === 'failed')).toBe(true);
    expect(body.slices.map((slice: { id: number }) => slice.id)).toContain(id);
  });

  it.each(['page=0', 'pageSize=201', 'status=gone', 'search=%00', 'hours=1'])('refuses %s', async (query) => {
    expect((await operator.get(`/admin/slices?${query}`)).body.code).toBe('VALIDATION_FAILED');
  });
});
