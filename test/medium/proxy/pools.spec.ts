import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ProxyError } from '#common';
import { BackendProber, Backends, Pools } from '#proxy';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BackendServer } from '../../support/backend-server.js';
import { terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, type GatewayOptions } from '../../support/gateway.js';
import { withClient } from '../../support/postgres.js';

const ONE_SECOND = 1000;

/** The same for all replicas, as it has to be. */
const OPTIONS: GatewayOptions = {
  env: { ...ASSIGNED_SLICES.env, SECRET_KEY: 'the secret key of these gateways' },
};

let gateway: Gateway;
let replica: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start(OPTIONS);
  replica = await Gateway.start({ ...OPTIONS, database: gateway.database });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

/** Where the next requests of a pool go, sorted. */
function picks(of: Gateway, pool: string, count = 10): string[] {
  const origins = Array.from({ length: count }, () => {
    const upstream = of.get(Pools).get(pool).pick();
    return upstream instanceof ProxyError ? upstream.code : upstream.origin;
  });
  return [...new Set(origins)].toSorted();
}

const backends = (pool: string) => `/admin/pools/${pool}/backends`;

describe('a backend that is added on one replica', () => {
  it('takes requests of every replica within a second, and none once it is removed', async () => {
    await using backend = await BackendServer.start();
    const pool = replica.get(Pools).get('input');
    expect(picks(replica, 'input')).toEqual(['NO_HEALTHY_BACKEND']);
    const { body } = await gateway.operator().post(backends('input'), { url: backend.url });
    expect(picks(gateway, 'input')).toEqual([backend.url]);
    await eventually(async () => expect(picks(replica, 'input')).toEqual([backend.url]), ONE_SECOND);
    expect(replica.get(Pools).get('input')).toBe(pool);

    await replica.operator().send('DELETE', `${backends('input')}/${body.id}`);
    expect(picks(replica, 'input')).toEqual(['NO_HEALTHY_BACKEND']);
    await eventually(async () => expect(picks(gateway, 'input')).toEqual(['NO_HEALTHY_BACKEND']), ONE_SECOND);
  });

  it('takes none any more once its pool is removed, wherever that pool is in use', async () => {
    await using backend = await BackendServer.start();
    const operator = gateway.operator();
    await operator.post('/admin/pools', { name: 'short-lived' });
    await operator.post(backends('short-lived'), { url: backend.url });
    const inUse = gateway.get(Pools).get('short-lived');
    expect(inUse.pick()).toMatchObject({ origin: backend.url });
    await operator.send('DELETE', '/admin/pools/short-lived');
    expect(inUse.pick()).toMatchObject({ code: 'NO_HEALTHY_BACKEND' });
    await operator.post('/admin/pools', { name: 'short-lived' });
    await operator.post(backends('short-lived'), { url: backend.url });
    expect(inUse.pick()).toMatchObject({ origin: backend.url });
  });

  it('is found by replicas that could not be told', async () => {
    await using backend = await BackendServer.start();
    await withClient(gateway.database.connection, async (client) => {
      // No trigger fires, as when the message is lost.
      await client.query(`SET session_replication_role = replica`);
      await client.query(`INSERT INTO pool (name) VALUES ('untold')`);
      await client.query(
        `INSERT INTO pool_backend (id, pool, url) VALUES (gen_random_uuid(), 'untold', $1)`,
        [backend.url],
      );
    });
    await terminateControl(gateway.database);
    for (const each of [gateway, replica]) {
      await eventually(async () => expect(picks(each, 'untold')).toEqual([backend.url]));
    }
  });
});

describe('a backend that dies', () => {
  it('is left out from the probe on, and gets its share again when it is back', async () => {
    await using stays = await BackendServer.start();
    const dies = await BackendServer.start();
    await gateway.operator().post('/admin/pools', { name: 'mortal' });
    for (const { url } of [stays, dies]) await gateway.operator().post(backends('mortal'), { url });
    const prober = gateway.get(BackendProber);
    const both = [stays.url, dies.url].toSorted();
    expect(picks(gateway, 'mortal')).toEqual(both);

    await dies[Symbol.asyncDispose]();
    await prober.probeAll();
    expect(picks(gateway, 'mortal')).toEqual([stays.url]);

    await using back = await BackendServer.start(200, dies.port);
    expect(back.url).toBe(dies.url);
    await prober.probeAll();
    expect(picks(gateway, 'mortal')).toEqual(both);
  });
});

describe('a gateway', () => {
  it('probes its backends every minute', async () => {
    await using backend = await BackendServer.start();
    const setInterval = jest.spyOn(globalThis, 'setInterval');
    await using third = await Gateway.start({ ...OPTIONS, database: gateway.database });
    const everyMinute = setInterval.mock.calls.flatMap(([tick, ms]) => (ms === 60_000 ? [tick] : []));
    setInterval.mockRestore();
    await third.operator().post(backends('output'), { url: backend.url });
    await third.get(BackendProber).probeAll();
    const { length } = backend.asked;
    for (const tick of everyMinute) tick();
    await eventually(async () => expect(backend.asked.length).toBeGreaterThan(length));
  });

  it('that stops leaves no timer and no connection, even in the middle of a probe', async () => {
    await using hung = await BackendServer.start(null);
    const [setInterval, clearInterval] = [
      jest.spyOn(globalThis, 'setInterval'),
      jest.spyOn(globalThis, 'clearInterval'),
    ];
    const third = await Gateway.start({ ...OPTIONS, database: gateway.database });
    const prober = third.get(BackendProber);
    const [backend] = third.get(Backends).replace(new Map([[hung.url, '']]));
    const probing = prober.probe(backend as NonNullable<typeof backend>);
    await eventually(async () => expect(hung.asked).toHaveLength(1));
    await third[Symbol.asyncDispose]();
    await probing;
    await eventually(async () => expect(await hung.connections()).toBe(0));

    const timers = setInterval.mock.results
      .filter((_result, i) => setInterval.mock.calls[i]?.[1] === 60_000)
      .map(({ value }) => value);
    expect(timers.length).toBeGreaterThan(0);
    for (const timer of timers) expect(clearInterval.mock.calls.flat()).toContain(timer);
    jest.restoreAllMocks();
  });
});
