import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { InstallationId } from '#orchestrator';
import {
  buildNotes,
  describeWithDocker,
  labelledResources,
  NOTES_IMAGE,
  removeInstallation,
} from '../../support/docker.js';
import { Gateway } from '../../support/gateway.js';

describeWithDocker('a gateway on a host, with slices in containers and the embedded PostgreSQL', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    await buildNotes();
    gateway = await Gateway.start({
      env: { DATABASE_URL: '', SLICE_IMAGE: NOTES_IMAGE, SLICE_POOL_SIZE: '1' },
    });
  }, 180_000);

  afterAll(async () => {
    const installation = gateway.get(InstallationId).value;
    await gateway[Symbol.asyncDispose]();
    await removeInstallation(installation);
  }, 60_000);

  it('gives a customer a container that reaches its own database on the host', async () => {
    const customer = await gateway.customer();
    expect((await customer.post('/api/notes', { title: 'from a container' })).status).toBe(201);
    const { body } = await customer.get('/api/notes');
    expect(body).toEqual([expect.objectContaining({ title: 'from a container' })]);
  }, 60_000);

  it('keeps the data of a slice that is stopped and started again', async () => {
    const customer = await gateway.customer();
    await customer.post('/api/notes', { title: 'still there' });
    await customer.send('PUT', '/api/files/kept.txt', {
      body: 'kept',
      headers: { 'content-type': 'text/plain' },
    });
    const { id } = (await customer.get('/auth/me')).body.slice;
    await gateway.operator().post(`/orchestrator/slices/${id}/stop`);
    expect((await customer.get('/api/notes')).body).toMatchObject({ code: 'SLICE_STOPPED', status: 503 });
    await gateway.operator().post(`/orchestrator/slices/${id}/start`);
    expect((await customer.get('/api/notes')).body).toEqual([
      expect.objectContaining({ title: 'still there' }),
    ]);
    expect((await customer.get('/api/files/kept.txt')).body).toBe('kept');
  }, 60_000);

  it('leaves nothing of a slice that is destroyed', async () => {
    const operator = gateway.operator();
    const { body: slice } = await operator.provision({ name: 'short-lived' });
    expect(await labelled(slice.id)).not.toEqual([]);
    expect((await operator.destroy(slice.id)).body).toEqual({ id: slice.id, status: 'destroyed' });
    expect(await labelled(slice.id)).toEqual([]);
  }, 60_000);

  async function labelled(sliceId: number): Promise<string[]> {
    const all = await labelledResources(gateway.get(InstallationId).value);
    return all.filter((name) => new RegExp(`slice-${sliceId}\\b`).test(name));
  }
});
