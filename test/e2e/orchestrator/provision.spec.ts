import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorClient } from '../../support/clients.js';
import { getJson } from '../../support/get-json.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

let installation: Installation;
let gateway: Gateway;
let operator: OperatorClient;

beforeAll(async () => {
  installation = await Installation.create({ SLICE_ENV: '{"SHARED":"of all","OWN":"of all"}' });
  gateway = await installation.open();
  operator = gateway.operator();
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

describe('POST /orchestrator/provision', () => {
  it('answers 201 once the slice is healthy, and tells all about it', async () => {
    const { status, body } = await operator.provision({ name: 'acme' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(Number),
      name: 'acme',
      status: 'active',
      host: '127.0.0.1',
      port: expect.any(Number),
      runtime: 'process',
      image: null,
      owner: null,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastHealthyAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await getJson(`http://${body.host}:${body.port}/health`)).toMatchObject({ ok: true });
  });

  it('gives the slice its database, its folder, its name, and the variables of the operator', async () => {
    const env = { OWN: 'of this one', DB_NAME: 'postgres', PORT: '1' };
    const { body } = await operator.provision({ name: 'with-env', env, memory: '64m', cpus: 0.25 });
    const database = `slice_${body.id}`;
    expect(await getJson(`http://${body.host}:${body.port}/env`)).toMatchObject({
      SHARED: 'of all',
      OWN: 'of this one',
      SLICE_ID: String(body.id),
      SLICE_NAME: 'with-env',
      PORT: String(body.port),
      DATA_DIR: expect.stringContaining(`/${body.id}/`),
      DATABASE_URL: expect.stringContaining(`/${database}`),
      DB_HOST: expect.any(String),
      DB_PORT: expect.any(String),
      DB_NAME: database,
      DB_USER: database,
      DB_PASSWORD: expect.any(String),
    });
    const rows = await installation.query('SELECT memory_bytes, cpus, env_sealed FROM slice WHERE id = $1', [
      body.id,
    ]);
    expect(rows).toEqual([
      { memory_bytes: String(64 * 1024 ** 2), cpus: 0.25, env_sealed: expect.any(Buffer) },
    ]);
    expect(String(Object(rows[0]).env_sealed)).not.toContain('of this one');
  });

  it('answers 202 at once with ?wait=false, and goes on', async () => {
    const { status, body } = await operator.post('/orchestrator/provision?wait=false', {});
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'provisioning', port: null, lastHealthyAt: null });
    expect(await installation.settled()).toContain(body.id);
  });

  it('gives a slice to its owner, and to each owner one', async () => {
    const browser = gateway.browser();
    const { body: registered } = await browser.register('owner@example.com', 'correct horse battery');
    await operator.destroy(registered.slice.id, true);
    const owner = registered.user.id;
    const { status, body } = await operator.provision({ owner });
    expect(status).toBe(201);
    expect(body.owner).toBe(owner);
    expect((await browser.get('/auth/me')).body.slice).toEqual({
      id: body.id,
      name: body.name,
      status: 'active',
    });
    expect(await operator.provision({ owner })).toMatchObject({
      status: 409,
      body: { code: 'SLICE_IN_USE' },
    });
  });

  it('refuses an owner that there is not, and an image where none is run', async () => {
    const unknown = await operator.provision({ owner: crypto.randomUUID() });
    expect(unknown).toMatchObject({ status: 400, body: { details: [{ path: 'owner' }] } });
    const image = await operator.provision({ image: 'acme/app:1' });
    expect(image).toMatchObject({ status: 400, body: { details: [{ path: 'image' }] } });
  });

  it('makes nothing of what it refuses', async () => {
    const before = await installation.settled();
    for (const request of [
      { memory: '1k' },
      { cpus: -1 },
      { name: 'A b' },
      { env: { 'A=B': '' } },
      { more: 1 },
    ])
      expect((await operator.provision(request)).status).toBe(400);
    expect(await installation.look()).toEqual(worldOf(before));
  });

  it('goes no further than the connections of PostgreSQL', async () => {
    await using replica = await installation.open({ env: { SLICE_DB_CONNECTIONS: '1000' } });
    const { status, body } = await replica.operator().provision();
    expect(status).toBe(503);
    expect(body).toMatchObject({
      code: 'SLICE_BUDGET_EXHAUSTED',
      message: expect.stringContaining('max_connections'),
    });
  });

  it('is the operator’s alone', async () => {
    expect((await gateway.browser().post('/orchestrator/provision', {})).status).toBe(401);
    const customer = gateway.browser();
    await customer.register('customer@example.com', 'correct horse battery');
    expect((await customer.post('/orchestrator/provision', {})).status).toBe(403);
  });
});

describe('repeating a provision', () => {
  it('with the same name gives the same slice', async () => {
    const request = { name: 'repeated', memory: '128m' };
    const first = await operator.provision(request);
    const second = await operator.provision({ memory: 128 * 1024 ** 2, name: 'repeated' });
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
  });

  it('with the same name and another body is refused', async () => {
    await operator.provision({ name: 'mine' });
    const { status, body } = await operator.provision({ name: 'mine', cpus: 1 });
    expect(status).toBe(409);
    expect(body.code).toBe('SLICE_NAME_TAKEN');
  });

  it('with the same Idempotency-Key makes one slice, also at the same moment', async () => {
    const before = (await installation.settled()).length;
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => operator.provision({}, headers)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await installation.settled()).length).toBe(before + 1);
  });

  it('with the same name at the same moment makes one slice', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => operator.provision({ name: 'together' })),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  it('with the same key and another body is refused', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    await operator.provision({ cpus: 1 }, headers);
    const { status, body } = await operator.provision({ cpus: 2 }, headers);
    expect(status).toBe(409);
    expect(body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('with the key of a slice that is destroyed neither lies nor makes another one', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const { body: slice } = await operator.provision({}, headers);
    await operator.destroy(slice.id);
    const { status, body } = await operator.provision({}, headers);
    expect(status).toBe(409);
    expect(body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('refuses a key that is no header value of use', async () => {
    expect((await operator.provision({}, { 'idempotency-key': 'x'.repeat(256) })).status).toBe(400);
  });
});
