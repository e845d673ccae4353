import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Clock, type SubscriptionFigures } from '#common';
import { User } from '#database';
import { type SliceReading, TelemetryReader } from '#monitor';
import { SliceRuntime, RuntimeUnavailableError } from '#orchestrator';
import { DashboardService } from '../../../libs/admin/src/dashboard/dashboard.service.js';
import { TelemetryStore } from '../../../libs/monitor/src/telemetry/telemetry-store.js';
import type { OperatorClient } from '../../support/clients.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { TINY_SLICES } from '../../support/tiny-slices.js';

const MINUTE_MS = 60_000;

let gateway: Gateway;
let operator: OperatorClient;
let slice: { id: number; name: string };
let ownerId: string;
let ownerEmail: string;

beforeAll(async () => {
  gateway = await Gateway.start({
    // The monitor must not look by itself: what it saw is written by the tests.
    env: { ...TINY_SLICES, SLICE_AUTO_PROVISION: 'false', MONITOR_INTERVAL_SECONDS: '0' },
  });
  operator = gateway.operator();
  ownerEmail = `${crypto.randomUUID()}@example.com`;
  ownerId = (await gateway.browser().register(ownerEmail, PASSWORD)).body.user.id;
  slice = (await operator.provision({ name: 'acme', owner: ownerId })).body;
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

/** As the monitor would have seen it so many minutes ago. */
function reading(sliceId: number, minutesAgo: number, over: Partial<SliceReading> = {}): SliceReading {
  return {
    sliceId,
    at: new Date(Date.now() - minutesAgo * MINUTE_MS),
    healthy: true,
    latencyMs: 12,
    state: 'running',
    cpuPercent: 1.5,
    memoryBytes: 100_000_000,
    databaseBytes: 8_000_000,
    connections: 3,
    metrics: { notes: 7 },
    ...over,
  };
}

const store = () => gateway.get(TelemetryStore);

describe('GET /admin/dashboard', () => {
  it('shows what there is before the monitor has looked', async () => {
    const { status, body } = await operator.get('/admin/dashboard');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      slices: { total: 1, unclaimed: 0, byStatus: { active: 1 } },
      users: { total: 2, admins: 1, disabled: 0, verified: 1, withTotp: 0, newLastWeek: 2 },
      subscriptions: null,
    });
    expect(body.slices.list).toEqual([
      expect.objectContaining({
        id: slice.id,
        name: 'acme',
        status: 'active',
        desired: 'running',
        owner: ownerId,
        ownerEmail,
      }),
    ]);
  });

  it('shows what the monitor saw last, of the server, of slices and of the app', async () => {
    const { id: other } = (await operator.post('/admin/slices', { port: 41_001 })).body;
    const { id: unseen } = (await operator.post('/admin/slices', { port: 41_002 })).body;
    await store().prepare(new Date());
    await store().addSlices([
      reading(slice.id, 12),
      reading(slice.id, 3, { cpuPercent: 99, metrics: { notes: 1 } }),
      reading(slice.id, 1),
      reading(other, 1, { healthy: false, latencyMs: null, metrics: { notes: 5, users: 2 } }),
      reading(unseen, 11),
    ]);
    await store().addServer({
      at: new Date(),
      cpuPercent: 12.5,
      load: 0.5,
      memoryUsedBytes: 1e9,
      memoryTotalBytes: 4e9,
      diskUsedBytes: 1e10,
      diskTotalBytes: 1e11,
      connections: 9,
      maxConnections: 500,
    });
    const { body } = await operator.get('/admin/dashboard');
    expect(body.server).toMatchObject({ cpuPercent: 12.5, memoryTotalBytes: 4e9, connections: 9 });
    expect(body.slices).toMatchObject({ total: 3, unclaimed: 2, unhealthy: 1 });
    const [first, second, third] = body.slices.list;
    expect(first).toMatchObject({
      healthy: true,
      latencyMs: 12,
      cpuPercent: 1.5,
      memoryBytes: 100_000_000,
      connections: 3,
    });
    expect(second).toMatchObject({ healthy: false, latencyMs: null });
    // Ten minutes ago is not now.
    expect(third).toMatchObject({ at: null, healthy: null, memoryBytes: null });
    expect(body.appMetrics).toEqual({
      notes: { sum: 12, average: 6, max: 7, slices: 2 },
      users: { sum: 2, average: 2, max: 2, slices: 1 },
    });
  });

  it('counts accounts as they are', async () => {
    await gateway
      .get(DataSource)
      .getRepository(User)
      .update({ id: ownerId }, { disabledAt: new Date(), emailVerifiedAt: new Date() });
    const { body } = await operator.get('/admin/dashboard');
    expect(body.users).toMatchObject({ total: 2, disabled: 1, verified: 2 });
    expect(JSON.stringify(body)).not.toMatch(/argon2|sealed|password/i);
  });
});

describe('GET /admin/slice/:id', () => {
  it('shows the slice with its container, its telemetry, its figures and its last steps', async () => {
    const { status, body } = await operator.get(`/admin/slice/${slice.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      slice: { id: slice.id, name: 'acme', ownerEmail, desired: 'running', runtime: 'process' },
      container: {
        ref: expect.stringMatching(/^\d+$/),
        state: 'running',
        exitCode: null,
        generation: 1,
        memoryBytes: expect.any(Number),
        cpuSeconds: expect.any(Number),
      },
      latest: { healthy: true, latencyMs: 12 },
      appMetrics: { notes: 7 },
    });
    const { at, latencyMs, metrics } = body.telemetry;
    expect(at.length).toBeGreaterThanOrEqual(2);
    expect(latencyMs).toHaveLength(at.length);
    expect(metrics.notes).toHaveLength(at.length);
    expect(body.events.map(({ step }: { step: string }) => step)).toContain('active');
  });

  it('shows one that was never looked at, and that somebody else runs', async () => {
    const { id } = (await operator.post('/admin/slices', { port: 41_003 })).body;
    const { body } = await operator.get(`/admin/slice/${id}`);
    expect(body).toMatchObject({
      container: null,
      latest: { at: null },
      appMetrics: {},
      telemetry: { at: [] },
    });
  });

  it('is there without the engine', async () => {
    const runtime = gateway.get(SliceRuntime);
    const inspect = runtime.inspect.bind(runtime);
    runtime.inspect = () => Promise.reject(new RuntimeUnavailableError('away'));
    try {
      const { status, body } = await operator.get(`/admin/slice/${slice.id}`);
      expect([status, body.container]).toEqual([200, null]);
    } finally {
      runtime.inspect = inspect;
    }
  });

  it.each([
    ['999999999', 404],
    ['abc', 400],
    ['0', 400],
    ['1e9', 400],
  ])('is none for %s', async (id, expected) => {
    expect((await operator.get(`/admin/slice/${id}`)).status).toBe(expected);
  });
});

describe('the subscriptions on the dashboard', () => {
  it('are what the billing library counts, once there is one', async () => {
    const figures: SubscriptionFigures = { byStatus: () => Promise.resolve({ active: 3, past_due: 1 }) };
    const service = new DashboardService(
      gateway.get(DataSource),
      gateway.get(TelemetryReader),
      gateway.get(Clock),
      figures,
    );
    expect((await service.show()).subscriptions).toEqual({ active: 3, past_due: 1 });
  });
});
