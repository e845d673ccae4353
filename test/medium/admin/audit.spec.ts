import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { describeRoutes } from '#auth';
import { AuditLog } from '#common';
import { AuditEntry, PoolBackend, User } from '#database';
import { SliceDatabase } from '#orchestrator';
import { AuditSweeper } from '../../../libs/admin/src/audit/audit-sweeper.js';
import type { Answer, OperatorClient } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { waitingForLocks } from '../../support/waiting-for-locks.js';

let gateway: Gateway;
let operator: OperatorClient;
let userId: string;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' }, configFile: 'routes: []\n' });
  operator = gateway.operator();
  userId = await newUser();
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const entries = () => gateway.get(DataSource).getRepository(AuditEntry);
const latest = async (): Promise<any> => (await operator.get('/admin/audit?limit=1')).body.entries[0];

async function newUser(): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await gateway.browser().register(email, PASSWORD);
  await gateway.get(DataSource).getRepository(User).update({ email }, { emailVerifiedAt: new Date() });
  return body.user.id;
}

async function newSlice(): Promise<number> {
  return (await operator.provision({ env: { COLOUR: 'red' } })).body.id;
}

/** A database of a slice whose row is lost. */
async function newOrphan(): Promise<number> {
  const id = (await newSlice()) + 900;
  await gateway.get(SliceDatabase).ensure(id, 'a password of no use');
  return id;
}

async function sessionOf(): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await gateway.browser().register(email, PASSWORD);
  const { body: sessions } = await operator.get(`/admin/users/${body.user.id}/sessions`);
  return `/admin/users/${body.user.id}/sessions/${sessions[0].id}`;
}

interface Case {
  /** What the entry says. */
  readonly entry: Record<string, unknown>;
  readonly act: () => Promise<Answer>;
}

const poolBackend = async (): Promise<string> => {
  const name = `p${crypto.randomUUID().slice(0, 8)}`;
  await operator.post('/admin/pools', { name });
  const { body } = await operator.post(`/admin/pools/${name}/backends`, { url: 'http://127.0.0.1:9' });
  return `/admin/pools/${name}/backends/${body.id}`;
};

/** Every route that changes something in an operator's name, done once. */
const CASES: Readonly<Record<string, Case>> = {
  'PUT /admin/config': {
    entry: {
      action: 'config.replace',
      before: expect.objectContaining({ routes: [] }),
      after: expect.objectContaining({ routes: [expect.objectContaining({ id: 'a' })] }),
    },
    act: () =>
      operator.send('PUT', '/admin/config', {
        body: { routes: [{ id: 'a', path: '/a', target: 'http://127.0.0.1:9', auth: ['none'] }] },
      }),
  },
  'POST /admin/config/reload': {
    entry: { action: 'config.reload' },
    act: () => operator.post('/admin/config/reload'),
  },
  'POST /admin/pools': {
    entry: { action: 'pool.create', target: { kind: 'pool', id: 'made' }, after: { health: '/up' } },
    act: () => operator.post('/admin/pools', { name: 'made', health: '/up' }),
  },
  'DELETE /admin/pools/:pool': {
    entry: {
      action: 'pool.remove',
      target: { kind: 'pool', id: 'made' },
      before: { health: '/up', backends: ['http://127.0.0.1:8', 'http://127.0.0.1:9'] },
      after: null,
    },
    act: async () => {
      for (const port of [9, 8]) {
        await operator.post('/admin/pools/made/backends', { url: `http://127.0.0.1:${port}` });
      }
      return operator.send('DELETE', '/admin/pools/made');
    },
  },
  'POST /admin/pools/:pool/backends': {
    entry: { action: 'pool.add_backend', after: { url: 'http://127.0.0.1:9' } },
    act: () => operator.post('/admin/pools/input/backends', { url: 'http://127.0.0.1:9' }),
  },
  'DELETE /admin/pools/:pool/backends': {
    entry: {
      action: 'pool.remove_backend',
      before: { id: expect.any(String), url: 'http://127.0.0.1:9' },
      after: null,
    },
    act: () => operator.send('DELETE', '/admin/pools/input/backends?url=http://127.0.0.1:9'),
  },
  'DELETE /admin/pools/:pool/backends/:id': {
    entry: {
      action: 'pool.remove_backend',
      before: { id: expect.any(String), url: 'http://127.0.0.1:9' },
      after: null,
    },
    act: async () => operator.send('DELETE', await poolBackend()),
  },
  'PATCH /admin/users/:id': {
    entry: {
      action: 'user.change',
      before: { role: 'member', disabled: false },
      after: { role: 'member', disabled: true },
    },
    act: () => operator.send('PATCH', `/admin/users/${userId}`, { body: { disabled: true } }),
  },
  'POST /admin/users/:id/sign-out': {
    entry: { action: 'user.sign_out' },
    act: () => operator.post(`/admin/users/${userId}/sign-out`),
  },
  'DELETE /admin/users/:id/totp': {
    entry: { action: 'user.remove_totp', after: { totpEnabled: false } },
    act: () => operator.send('DELETE', `/admin/users/${userId}/totp`),
  },
  'DELETE /admin/users/:id/sessions/:sessionId': {
    entry: { action: 'user.end_session', target: { kind: 'user', id: expect.any(String) } },
    act: async () => operator.send('DELETE', await sessionOf()),
  },
  'POST /api/apikeys/generate': {
    entry: { action: 'api_key.generate', after: expect.objectContaining({ name: 'w', workerType: 'ping' }) },
    act: () => operator.post('/api/apikeys/generate', { name: 'w', worker_type: 'ping' }),
  },
  'DELETE /api/apikeys/:id': {
    entry: { action: 'api_key.revoke', target: { kind: 'apiKey', id: expect.any(String) } },
    act: async () => {
      const { body } = await operator.post('/api/apikeys/generate', { name: 'w', worker_type: 'ping' });
      return operator.send('DELETE', `/api/apikeys/${body.id}`);
    },
  },
  'DELETE /api/apikeys/revoke': {
    entry: { action: 'api_key.revoke', target: { kind: 'apiKey', id: expect.any(String) } },
    act: async () => {
      const { body } = await operator.post('/api/apikeys/generate', { name: 'w', worker_type: 'ping' });
      return operator.send('DELETE', `/api/apikeys/revoke?key=${body.key}`);
    },
  },
  'POST /orchestrator/provision': {
    entry: {
      action: 'slice.provision',
      after: expect.objectContaining({ name: 'one', env: ['PASSWORD_OF_THE_APP'] }),
    },
    act: () => operator.provision({ name: 'one', env: { PASSWORD_OF_THE_APP: 'a secret of the operator' } }),
  },
  'POST /orchestrator/slices': {
    entry: { action: 'slice.provision', after: expect.objectContaining({ name: 'two' }) },
    act: () => operator.post('/orchestrator/slices', { name: 'two' }),
  },
  'PATCH /orchestrator/slices/:id': {
    entry: {
      action: 'slice.change',
      before: expect.objectContaining({ memory: expect.any(Number) }),
      after: { memory: 99_000_000, env: ['COLOUR'] },
    },
    act: async () =>
      operator.send('PATCH', `/orchestrator/slices/${await newSlice()}`, {
        body: { memory: 99_000_000, env: { COLOUR: 'a secret of the operator' } },
      }),
  },
  'POST /orchestrator/slices/:id/stop': {
    entry: {
      action: 'slice.stop',
      before: expect.objectContaining({ desired: 'running' }),
      after: { desired: 'stopped' },
    },
    act: async () => operator.post(`/orchestrator/slices/${await newSlice()}/stop`),
  },
  'POST /orchestrator/slices/:id/start': {
    entry: { action: 'slice.start', after: { desired: 'running' } },
    act: async () => {
      const id = await newSlice();
      await operator.post(`/orchestrator/slices/${id}/stop`);
      return operator.post(`/orchestrator/slices/${id}/start`);
    },
  },
  'POST /orchestrator/slices/:id/restart': {
    entry: { action: 'slice.restart' },
    act: async () => operator.post(`/orchestrator/slices/${await newSlice()}/restart`),
  },
  'DELETE /orchestrator/slices/:id': {
    entry: { action: 'slice.destroy', after: { desired: 'absent', force: false } },
    act: async () => operator.send('DELETE', `/orchestrator/slices/${await newSlice()}`),
  },
  'POST /orchestrator/destroy/:sliceId': {
    entry: { action: 'slice.destroy', after: { desired: 'absent', force: true } },
    act: async () => operator.destroy(await newSlice(), true),
  },
  'POST /orchestrator/orphans/sweep': {
    entry: {
      action: 'orphans.sweep',
      target: { kind: 'slice', id: expect.any(String) },
      before: { orphans: expect.arrayContaining(['database', 'role']) },
    },
    act: async () => {
      await newOrphan();
      return operator.post('/orchestrator/orphans/sweep', { dryRun: false });
    },
  },
  'POST /admin/slices': {
    entry: { action: 'slice.register', after: expect.objectContaining({ host: '127.0.0.1', port: 9 }) },
    act: () => operator.post('/admin/slices', { port: 9 }),
  },
  'POST /admin/slices/:id/status': {
    entry: {
      action: 'slice.status',
      before: expect.objectContaining({ status: 'active' }),
      after: { status: 'stopped' },
    },
    act: async () => {
      const { body } = await operator.post('/admin/slices', { port: 10 });
      return operator.post(`/admin/slices/${body.id}/status`, { status: 'stopped' });
    },
  },
  'DELETE /admin/slices/:id': {
    entry: { action: 'slice.destroy', after: { desired: 'absent', force: false } },
    act: async () => {
      const { body } = await operator.post('/admin/slices', { port: 11 });
      return operator.send('DELETE', `/admin/slices/${body.id}`);
    },
  },
};

describe('the audit', () => {
  it('is of every route that changes something for an operator', () => {
    const changing = describeRoutes(gateway.app)
      .filter(({ method, access }) => method !== 'GET' && access.startsWith('admin'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(CASES).toSorted()).toEqual(changing.toSorted());
  });

  it.each(Object.entries(CASES))(
    'tells of %s',
    async (_, { entry, act }) => {
      const answer = await act();
      expect(answer.status).toBeLessThan(300);
      expect(await latest()).toMatchObject({
        actor: { kind: 'adminKey', id: null, email: null },
        ip: '127.0.0.1',
        requestId: answer.headers.get('x-request-id'),
        ...entry,
      });
    },
    20_000,
  );

  it('names the account of an admin, by its address as long as there is one', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const browser = gateway.browser();
    const { body } = await browser.register(email, PASSWORD);
    await gateway.get(DataSource).getRepository(User).update({ email }, { role: 'admin' });
    await browser.post('/admin/pools', { name: 'of-an-admin' });
    expect((await latest()).actor).toEqual({ kind: 'user', id: body.user.id, email });
    const { body: page } = await operator.get(`/admin/audit?actor=${body.user.id}`);
    expect(page.entries).toHaveLength(1);
  });

  it('says nothing of what changed nothing, was refused, or only looked', async () => {
    const before = await entries().count();
    await operator.post('/admin/pools', { name: 'of-an-admin' });
    await operator.send('PATCH', `/admin/users/${userId}`, { body: { disabled: true } });
    await operator.send('PATCH', `/admin/users/${crypto.randomUUID()}`, { body: { disabled: true } });
    await operator.send('PUT', '/admin/config', { body: { routes: 7 } });
    await operator.post('/orchestrator/orphans/sweep', { dryRun: true });
    await operator.post('/orchestrator/orphans/sweep', { dryRun: false });
    expect(await entries().count()).toBe(before);
  });

  it('has of a sweep what was removed before it broke off', async () => {
    const orphans = [await newOrphan(), await newOrphan()];
    const drop = jest.spyOn(gateway.get(SliceDatabase), 'drop');
    const swept: string[] = [];
    drop.mockImplementation(async () => {
      const { body } = await operator.get('/admin/audit?action=orphans.sweep&limit=1');
      swept.push(body.entries[0].target.id);
      throw new Error('the server is gone');
    });
    await operator.post('/orchestrator/orphans/sweep', { dryRun: false });
    drop.mockRestore();
    const { body: rest } = await operator.post('/orchestrator/orphans/sweep', { dryRun: false });
    expect(rest.orphans).toHaveLength(4);
    expect(swept.map(Number).toSorted((a, b) => a - b)).toEqual(orphans);
  });

  it('has of a pool the backend that came while it was being removed', async () => {
    await operator.post('/admin/pools', { name: 'busy' });
    const adding = gateway.get(DataSource).createQueryRunner();
    await adding.startTransaction();
    const url = 'http://127.0.0.1:9/late';
    await adding.manager.insert(PoolBackend, { id: crypto.randomUUID(), pool: 'busy', url });
    const removing = operator.send('DELETE', '/admin/pools/busy');
    await eventually(async () => expect(await waitingForLocks(gateway)).toBe(1));
    await adding.commitTransaction();
    await adding.release();
    expect((await removing).status).toBe(204);
    expect(await latest()).toMatchObject({ action: 'pool.remove', before: { backends: [url] } });
  });

  it('takes whatever text there is', async () => {
    const target = { kind: 'slice', id: '1' };
    const text = String.raw`a\u0000 b` + '\0\ud800';
    await gateway.get(AuditLog).record({ action: 'test.text', target, after: { [text]: text } });
    const kept = String.raw`a\u0000 b` + '\ufffd\ufffd';
    expect((await latest()).after).toEqual({ [kept]: kept });
  });

  it('holds no secret', async () => {
    const written = JSON.stringify(await entries().find());
    expect(written).not.toContain('a secret of the operator');
    expect(written).not.toMatch(/slu_/);
  });
});

describe('GET /admin/audit', () => {
  it('pages backwards, each entry once, while new ones come in', async () => {
    const all = (await entries().find({ order: { id: 'DESC' } })).map(({ id }) => id);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { body }: Answer = await operator.get(`/admin/audit?limit=4${next && `&before=${next}`}`);
      seen.push(...body.entries.map(({ id }: { id: string }) => id));
      next = body.next;
      await operator.post('/admin/pools', { name: `p${seen.length}` });
    }
    expect(seen).toEqual(all);
  });

  it.each([
    ['action=pool.create', ({ action }: any) => action === 'pool.create'],
    ['action=pool.', ({ action }: any) => action.startsWith('pool.')],
    ['target=pool:made', ({ target }: any) => target.id === 'made'],
    ['target=slice', ({ target }: any) => target.kind === 'slice'],
    ['actor=adminKey', ({ actor }: any) => actor.kind === 'adminKey'],
  ])('filters by %s', async (query, holds) => {
    const { body } = await operator.get(`/admin/audit?limit=200&${query}`);
    expect(body.entries.length).toBeGreaterThan(0);
    expect(body.entries.filter((entry: unknown) => !holds(entry))).toEqual([]);
  });

  it('filters by time', async () => {
    const to = encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString());
    expect((await operator.get(`/admin/audit?to=${to}`)).body.entries).toEqual([]);
    expect((await operator.get(`/admin/audit?from=${to}`)).body.entries.length).toBeGreaterThan(0);
  });

  it.each(['limit=0', 'limit=201', 'before=x', 'actor=me', 'action=a', 'target=%00', 'from=now', 'page=1'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await operator.get(`/admin/audit?${query}`);
      expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    },
  );

  it('keeps nothing longer than it is to', async () => {
    const kept = await entries().count();
    const old = new Date(Date.now() - 366 * 24 * 3_600_000);
    await entries().insert({
      at: old,
      actorKind: 'system',
      action: 'old.one',
      targetKind: 'slice',
      targetId: '1',
    });
    await gateway.get(AuditSweeper).sweep();
    expect(await entries().count()).toBe(kept);
    expect((await operator.get('/admin/audit?action=old.one')).body.entries).toEqual([]);
  });
});
