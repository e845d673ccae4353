import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppConfig } from '#config';
import { SliceDatabase, SliceRuntime } from '#orchestrator';
import type { OperatorClient } from '../../support/clients.js';
import { freePort } from '../../support/free-port.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

const SWEEP = '/orchestrator/orphans/sweep';

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

/** What a slice leaves whose row is lost, as after a restore of an old backup. */
async function makeOrphan(id: number): Promise<void> {
  await gateway.get(SliceDatabase).ensure(id, 'a password of no use');
  await gateway.get(SliceRuntime).start({
    id,
    name: 'lost',
    generation: 1,
    image: null,
    command: gateway.get(AppConfig).slices.command,
    env: { SLICE_ID: String(id) },
    memoryBytes: 64 * 1024 ** 2,
    cpus: 0.5,
    port: await freePort(),
  });
}

describe('what belongs to no slice', () => {
  it('is reported, left alone by a dry run, and removed when that is asked for', async () => {
    const { body: slice } = await operator.provision();
    const lost = slice.id + 900;
    await makeOrphan(lost);
    const orphans = ['instance', 'data', 'database', 'role'].map((kind) => ({ kind, sliceId: lost }));
    const report = { orphans: expect.arrayContaining(orphans) };

    expect((await operator.get('/orchestrator/status')).body).toMatchObject(report);
    const looks = [
      await operator.post(SWEEP, { dryRun: true }),
      await operator.post(SWEEP, {}),
      await operator.post(SWEEP),
    ];
    for (const { status, body } of looks) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ dryRun: true, ...report });
      expect(body.orphans).toHaveLength(4);
    }
    expect((await installation.look()).databases).toEqual([slice.id, lost]);

    const swept = await operator.post(SWEEP, { dryRun: false });
    expect(swept.body).toMatchObject({ dryRun: false, ...report });
    expect(await installation.look()).toEqual(worldOf([slice.id]));
    expect((await operator.post(SWEEP, { dryRun: false })).body).toEqual({ dryRun: false, orphans: [] });
  });

  it('is not swept when it is another installation’s, or anybody’s', async () => {
    const [slice] = await installation.settled();
    const stranger = Number(slice) + 901;
    await installation.query(`CREATE ROLE slice_${stranger}`);
    await installation.query(`COMMENT ON ROLE slice_${stranger} IS 'sluice:00000000:slice:${stranger}'`);
    await installation.query(`CREATE DATABASE slice_${stranger} OWNER slice_${stranger}`);
    expect((await operator.post(SWEEP, { dryRun: false })).body.orphans).toEqual([]);
    expect((await installation.look()).databases).toContain(stranger);
  });

  it('is never a live slice’s, nor one’s that is being made or is stopped', async () => {
    const { body: stopped } = await operator.provision();
    await operator.post(`/orchestrator/slices/${stopped.id}/stop`);
    const made = Promise.all([operator.provision(), operator.provision()]);
    for (let time = 0; time < 5; time += 1)
      expect((await operator.post(SWEEP, { dryRun: false })).body.orphans).toEqual([]);
    for (const { status, body } of await made) {
      expect(status).toBe(201);
      expect((await operator.get(`/orchestrator/slices/${body.id}`)).body.status).toBe('active');
    }
    expect((await installation.look()).data).toContain(stopped.id);
  });
});

describe('GET /orchestrator/status', () => {
  it('counts slices, containers and memory', async () => {
    const { status, body } = await operator.get('/orchestrator/status');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      slices: { total: 4, unclaimed: 4, active: 3, stopped: 1 },
      containers: { total: 3, running: 3 },
      memory: {
        slicesLimit: 4 * 256 * 1024 ** 2,
        hostFree: expect.any(Number),
        hostTotal: expect.any(Number),
      },
    });
    expect(body.memory.slicesUsed).toBeGreaterThan(10 * 1024 ** 2);
  });
});
