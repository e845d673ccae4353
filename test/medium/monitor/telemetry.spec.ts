import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MonitorWorld } from '../../support/monitor-world.js';

let world: MonitorWorld;
const ids: number[] = [];

beforeAll(async () => {
  world = await MonitorWorld.start();
  for (let i = 0; i < 53; i += 1) ids.push(await world.addSlice(i === 1 || i === 2 ? 'unwell' : 'well'));
  await world.passes(4);
  world.setMood(ids[2] ?? 0, 'well');
  await world.passes(8);
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

const ask = (path: string) => world.gateway.operator().get(`/admin/telemetry/${path}`);
const HOUR_S = 3600;

describe.each(['server', 'slices'])('GET /admin/telemetry/%s', (path) => {
  it.each([
    ['hours=1', 1],
    ['hours=0', 1],
    ['hours=-1', 1],
    ['hours=-1e9', 1],
    ['hours=1.5', 2],
    ['hours=24', 24],
    ['', 24],
    ['hours=168', 168],
    ['hours=169', 168],
    ['hours=1e9', 168],
    ['hours=1e999', 168],
  ])('with %s covers %i hours', async (query, hours) => {
    const { status, body } = await ask(`${path}?${query}`);
    expect(status).toBe(200);
    const span = (Date.parse(body.to) - Date.parse(body.from)) / 1000;
    expect(span).toBeLessThanOrEqual(hours * HOUR_S);
    expect(span).toBeGreaterThanOrEqual(hours * HOUR_S - body.stepSeconds);
  });

  it.each(['hours=abc', 'hours=', 'hours=NaN', 'hours=Infinity', 'hours=0x10', 'hours=1&hours=2', 'hour=1'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await ask(`${path}?${query}`);
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'VALIDATION_FAILED' });
    },
  );

  it('is for the operator', async () => {
    const answer = await world.gateway.browser().get(`/admin/telemetry/${path}`);
    expect(answer.status).toBe(401);
  });
});

describe('GET /admin/telemetry/slices', () => {
  it('gives 50 slices a page', async () => {
    const pages = [await ask('slices'), await ask('slices?page=2'), await ask('slices?page=3')];
    expect(pages.map(({ body }) => body.slices.map(({ id }: { id: number }) => id))).toEqual([
      ids.slice(0, 50),
      ids.slice(50),
      [],
    ]);
    expect(pages[1]?.body).toMatchObject({ page: 2, pageSize: 50, total: 53 });
  });

  it.each(['page=0', 'page=-1', 'page=x', 'page=99999999'])('refuses %s', async (query) => {
    expect((await ask(`slices?${query}`)).status).toBe(400);
  });

  it.each([
    [24, [0, 300, 600], [0, 1, 1]],
    // The roll-up of 15 minutes is not there yet: not one of its samples may be missing.
    [168, [0], [0.667]],
  ])('puts together roll-ups and the samples after them, over %i hours', async (hours, times, recovering) => {
    const { body } = await ask(`slices?hours=${hours}`);
    const [well, unwell, recovered] = body.slices;
    const begin = Date.parse('2026-01-01T00:00:00Z') / 1000;
    expect(well).toMatchObject({
      id: ids[0],
      name: 'slice 1',
      at: times.map((time) => begin + time),
      availability: times.map(() => 1),
      memoryBytes: times.map(() => 50e6),
    });
    expect(unwell.availability).toEqual(times.map(() => 0));
    // Of twelve checks in twelve minutes the first four were bad.
    expect(recovered.availability).toEqual(recovering);
    expect(unwell.latencyMs).toEqual(times.map(() => null));
  });
});

describe('GET /admin/telemetry/server', () => {
  it('gives columns of the same length', async () => {
    const { body } = await ask('server?hours=1');
    expect(body.stepSeconds).toBe(60);
    for (const column of Object.values(body.server)) expect(column).toHaveLength(12);
  });
});
