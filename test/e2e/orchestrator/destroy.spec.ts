import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Clock, SystemClock } from '#common';
import type { OperatorClient } from '../../support/clients.js';
import { freePort } from '../../support/free-port.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

/** Runs as the system's, and can be set forward. */
class AdvancingClock extends SystemClock {
  private ahead = 0;

  override now(): Date {
    return new Date(this.nowMs());
  }

  override nowMs(): number {
    return Date.now() + this.ahead;
  }

  advance(ms: number): void {
    this.ahead += ms;
  }
}

const clock = new AdvancingClock();
let installation: Installation;
let gateway: Gateway;
let operator: OperatorClient;

beforeAll(async () => {
  const port = await freePort();
  installation = await Installation.create({
    SLICE_PORT_RANGE: `${port}-${port}`,
    SLICE_AUTO_PROVISION: 'false',
  });
  gateway = await installation.open({
    override: (builder) => builder.overrideProvider(Clock).useValue(clock),
  });
  operator = gateway.operator();
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

/** A slice on the one port there is, once that has rested. */
async function provision(request = {}): Promise<{ id: number; port: number; name: string }> {
  clock.advance(60_000);
  const { status, body } = await operator.provision(request);
  expect(status).toBe(201);
  return body;
}

describe('POST /orchestrator/destroy/:sliceId', () => {
  it('leaves nothing of the slice, and is the same when repeated', async () => {
    const slice = await provision();
    expect(await installation.look()).toEqual(worldOf([slice.id]));
    for (let time = 0; time < 2; time += 1) {
      const { status, body } = await operator.destroy(slice.id);
      expect(status).toBe(200);
      expect(body).toEqual({ id: slice.id, status: 'destroyed' });
      expect(await installation.look()).toEqual(worldOf([]));
    }
  });

  it('leaves a tombstone that nobody sees', async () => {
    const { id, name } = await provision({ name: 'short-lived' });
    await operator.destroy(id);
    expect((await operator.get(`/orchestrator/slices/${id}`)).body.code).toBe('SLICE_NOT_FOUND');
    expect((await operator.get('/orchestrator/slices')).body).toEqual([]);
    expect((await operator.get('/orchestrator/status')).body).toMatchObject({
      slices: { total: 0 },
      orphans: [],
    });
    const rows = await installation.query(
      'SELECT name, status, port, env_sealed, database_password_sealed FROM slice WHERE id = $1',
      [id],
    );
    const gone = { port: null, env_sealed: null, database_password_sealed: null };
    expect(rows).toEqual([{ name, status: 'destroyed', ...gone }]);
  });

  it('frees the name at once, and the port after it has rested for a minute', async () => {
    const first = await provision({ name: 'phoenix' });
    await operator.destroy(first.id);

    const tooEarly = await operator.provision({ name: 'phoenix' });
    expect(tooEarly).toMatchObject({ status: 503, body: { code: 'NO_FREE_PORT' } });
    clock.advance(58_000);
    expect((await operator.provision({ name: 'phoenix' })).status).toBe(503);

    clock.advance(2000);
    const { status, body } = await operator.provision({ name: 'phoenix' });
    expect(status).toBe(201);
    expect(body.id).not.toBe(first.id);
    expect(body.port).toBe(first.port);
    await operator.destroy(body.id);
  });

  it('does not take a customer’s slice away unless it is told twice', async () => {
    const browser = gateway.browser();
    const { body: registered } = await browser.register('customer@example.com', 'correct horse battery');
    const { id } = await provision({ owner: registered.user.id });
    const { status, body } = await operator.destroy(id);
    expect(status).toBe(409);
    expect(body.code).toBe('SLICE_IN_USE');
    expect(await installation.look()).toEqual(worldOf([id]));

    expect((await operator.destroy(id, true)).status).toBe(200);
    expect(await installation.look()).toEqual(worldOf([]));
    expect((await browser.get('/auth/me')).body.slice).toBeNull();
  });

  it('knows no slice of another number', async () => {
    expect(await operator.destroy(2 ** 31 - 1)).toMatchObject({
      status: 404,
      body: { code: 'SLICE_NOT_FOUND' },
    });
    expect((await operator.post('/orchestrator/destroy/0')).status).toBe(400);
    expect((await operator.post('/orchestrator/destroy/99999999999')).status).toBe(400);
  });
});
