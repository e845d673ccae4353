import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Answer } from '../../support/clients.js';
import { type Gateway, PASSWORD } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

let installation: Installation;
let gateway: Gateway;

beforeAll(async () => {
  installation = await Installation.create({
    SLICE_RUNTIME: 'docker',
    SLICE_IMAGE: 'acme/app:1',
    SLICE_POOL_SIZE: '1',
  });
  const socket = join(installation.dataDir, 'no-engine.sock');
  gateway = await installation.open({ env: { DOCKER_HOST: `unix://${socket}` } });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

function expectUnavailable({ status, headers, body }: Answer): void {
  expect(status).toBe(503);
  expect(body).toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    error: 'runtime_unavailable',
    route: 'orchestrator',
  });
  expect(headers.get('retry-after')).toBe('10');
}

describe('while no Docker Engine answers', () => {
  it('provisions nothing, says so, and leaves nothing half done', async () => {
    expectUnavailable(await gateway.operator().provision({ name: 'wanted' }));
    expectUnavailable(await gateway.operator().post('/orchestrator/slices?wait=false', {}));
    const host = { instances: [], data: [], networks: [], helpers: [] };
    expect(await installation.look(async () => host)).toEqual(worldOf([]));
  });

  it('can tell neither what runs nor what is orphaned', async () => {
    expectUnavailable(await gateway.operator().get('/orchestrator/status'));
    expectUnavailable(await gateway.operator().post('/orchestrator/orphans/sweep', { dryRun: false }));
  });

  it('still signs customers up, and is degraded, not down', async () => {
    const { status, body } = await gateway.browser().register('patient@example.com', PASSWORD);
    expect(status).toBe(201);
    expect(body).toMatchObject({ sliceAssigned: false, slice: { status: 'provisioning' } });
    expect(await gateway.operator().get('/health')).toMatchObject({
      status: 200,
      body: { status: 'degraded' },
    });
  });

  it('keeps the slice that is to go, to try it again', async () => {
    const [slice] = (await gateway.operator().get('/orchestrator/slices')).body;
    expectUnavailable(await gateway.operator().destroy(slice.id, true));
    expect((await gateway.operator().get(`/orchestrator/slices/${slice.id}`)).body).toMatchObject({
      status: 'destroying',
      error: expect.any(String),
    });
  });
});
