import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorClient } from '../../support/clients.js';
import { getJson } from '../../support/get-json.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';

let installation: Installation;
let gateway: Gateway;
let operator: OperatorClient;

beforeAll(async () => {
  installation = await Installation.create();
  gateway = await installation.open();
  operator = gateway.operator();
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

interface View {
  id: number;
  host: string;
  port: number;
}

/** Asks the slice itself. */
async function ask({ host, port }: View, path: string): Promise<Record<string, unknown>> {
  return (await getJson(`http://${host}:${port}${path}`)) as Record<string, unknown>;
}

async function generationOf({ id }: View): Promise<number> {
  const [row] = await installation.query<{ generation: number }>(
    'SELECT generation FROM slice WHERE id = $1',
    [id],
  );
  return row?.generation ?? 0;
}

describe('/orchestrator/slices as a REST resource', () => {
  it('creates, reads, lists and deletes', async () => {
    const created = await operator.post('/orchestrator/slices', { name: 'terraformed' });
    expect(created.status).toBe(201);
    const path = `/orchestrator/slices/${created.body.id}`;
    expect((await operator.get(path)).body).toEqual(created.body);
    expect((await operator.get('/orchestrator/slices')).body).toContainEqual(created.body);

    for (let time = 0; time < 2; time += 1) expect((await operator.send('DELETE', path)).status).toBe(204);
    expect(await operator.get(path)).toMatchObject({ status: 404, body: { code: 'SLICE_NOT_FOUND' } });
    expect(await operator.send('PATCH', path, { body: { cpus: 1 } })).toMatchObject({ status: 404 });
    expect(await operator.post(`${path}/start`)).toMatchObject({ status: 404 });
  });

  it('tells the id before anything can be lost, and honours the key', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const created = await operator.post('/orchestrator/slices?wait=false', {}, headers);
    expect(created.status).toBe(202);
    const again = await operator.post('/orchestrator/slices', {}, headers);
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({ id: created.body.id, status: 'active' });
  });

  it('does not delete a customer’s slice unless it is told twice', async () => {
    const { body } = await gateway.browser().register('rest@example.com', 'correct horse battery');
    const path = `/orchestrator/slices/${body.slice.id}`;
    expect(await operator.send('DELETE', path)).toMatchObject({
      status: 409,
      body: { code: 'SLICE_IN_USE' },
    });
    expect((await operator.send('DELETE', `${path}?force=true`)).status).toBe(204);
  });

  it('changes what is given, and lets the slice run with it', async () => {
    const { body: slice } = await operator.provision({ env: { COLOUR: 'red' }, cpus: 0.5 });
    await ask(slice, '/write?name=kept&text=data');
    const { status, body } = await operator.send('PATCH', `/orchestrator/slices/${slice.id}`, {
      body: { name: 'renamed', env: { COLOUR: 'blue' } },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: slice.id, name: 'renamed', status: 'active', port: slice.port });
    expect(await ask(body, '/env')).toMatchObject({ COLOUR: 'blue', SLICE_NAME: 'renamed' });
    expect(await ask(body, '/read?name=kept')).toEqual({ text: 'data' });
  });

  it('hands a slice over to a customer, and takes it back', async () => {
    const { body: slice } = await operator.provision({ name: 'heirloom' });
    const browser = gateway.browser();
    const { body: registered } = await browser.register('heir@example.com', 'correct horse battery');
    await operator.destroy(registered.slice.id, true);
    const path = `/orchestrator/slices/${slice.id}`;
    const given = await operator.send('PATCH', path, { body: { owner: registered.user.id } });
    expect(given).toMatchObject({ status: 200, body: { owner: registered.user.id, status: 'active' } });
    expect((await browser.get('/auth/me')).body.slice.id).toBe(slice.id);
    const taken = await operator.send('PATCH', path, { body: { owner: null } });
    expect(taken).toMatchObject({ status: 200, body: { owner: null } });
    expect((await browser.get('/api/anything')).body.code).toBe('NO_SLICE');
  });

  it('keeps a stopped slice stopped when it changes', async () => {
    const { body: slice } = await operator.provision();
    await operator.post(`/orchestrator/slices/${slice.id}/stop`);
    const changed = await operator.send('PATCH', `/orchestrator/slices/${slice.id}`, { body: { cpus: 1 } });
    expect(changed).toMatchObject({ status: 200, body: { status: 'stopped' } });
  });

  it('refuses the name of another, an unknown owner, an image where none is run, and no change at all', async () => {
    await operator.provision({ name: 'taken' });
    const { body: slice } = await operator.provision();
    const patch = (body: unknown) => operator.send('PATCH', `/orchestrator/slices/${slice.id}`, { body });
    expect(await patch({ name: 'taken' })).toMatchObject({ status: 409, body: { code: 'SLICE_NAME_TAKEN' } });
    expect(await patch({ owner: crypto.randomUUID() })).toMatchObject({ status: 400 });
    expect(await patch({ image: 'acme/app:2' })).toMatchObject({ status: 400 });
    expect(await patch({})).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(await generationOf(slice)).toBe(1);
  });
});

describe('stopping, starting and restarting', () => {
  it('stops the slice, keeps its data, and starts it where it was', async () => {
    const browser = gateway.browser();
    const { body: registered } = await browser.register('stopped@example.com', 'correct horse battery');
    await installation.settled();
    const path = `/orchestrator/slices/${registered.slice.id}`;
    const { body: slice } = await operator.get(path);
    await ask(slice, '/write?name=kept&text=data');

    const stopped = await operator.post(`${path}/stop`);
    expect(stopped).toMatchObject({ status: 200, body: { status: 'stopped', port: slice.port } });
    const look = await installation.look();
    expect(look.instances).not.toContain(slice.id);
    expect(look.data).toContain(slice.id);
    expect(look.databases).toContain(slice.id);
    expect(await browser.get('/api/anything')).toMatchObject({
      status: 503,
      body: { code: 'SLICE_STOPPED' },
    });
    expect((await operator.post(`${path}/stop`)).body.status).toBe('stopped');

    const started = await operator.post(`${path}/start`);
    expect(started).toMatchObject({ status: 200, body: { status: 'active', port: slice.port } });
    expect(await ask(started.body, '/read?name=kept')).toEqual({ text: 'data' });
    // The tiny app knows no such path: the answer is its own.
    expect((await browser.get('/api/anything')).status).toBe(500);
  });

  it('lets a slice that runs be when it is told to start', async () => {
    const { body: slice } = await operator.provision();
    const { pid } = await ask(slice, '/health');
    expect((await operator.post(`/orchestrator/slices/${slice.id}/start`)).status).toBe(200);
    expect((await ask(slice, '/health')).pid).toBe(pid);
  });

  it('restarts also a slice that runs well', async () => {
    const { body: slice } = await operator.provision();
    const generation = await generationOf(slice);
    const { pid } = await ask(slice, '/health');
    const restarted = await operator.post(`/orchestrator/slices/${slice.id}/restart`);
    expect(restarted).toMatchObject({ status: 200, body: { status: 'active', port: slice.port } });
    expect(await generationOf(slice)).toBe(generation + 1);
    expect((await ask(slice, '/health')).pid).not.toBe(pid);
  });

  it('comes to what was wanted last, whatever is wanted meanwhile', async () => {
    const { body: slice } = await operator.provision();
    const path = `/orchestrator/slices/${slice.id}`;
    const orders = ['stop', 'start', 'restart', 'stop', 'restart', 'stop', 'start'];
    const answers = await Promise.all(orders.map((order) => operator.post(`${path}/${order}`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { body } = await operator.post(`${path}/start`);
    expect(body.status).toBe('active');
    expect(await ask(body, '/health')).toMatchObject({ ok: true });
    const { instances } = await installation.look();
    expect(instances.filter((id) => id === slice.id)).toHaveLength(1);
  });
});
