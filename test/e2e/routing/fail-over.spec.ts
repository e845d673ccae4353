import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Clock } from '#common';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { Gateway } from '../../support/gateway.js';
import { soak } from '../../support/soak.js';
import { TestClock } from '../../support/test-clock.js';

const REQUESTS = soak(30_000, 3_000);
/** At the same time. */
const PARALLEL = 32;

/** A backend that counts what reaches it, and can be killed and come back on its port. */
class CountingBackend {
  requests = 0;
  /** Whether it takes a request whole, and then closes the connection instead of answering. */
  breaksOff = false;
  readonly bodies = new Map<string, number>();
  private server: Server | null = null;
  port = 0;

  async start(): Promise<void> {
    if (this.server !== null) return;
    this.server = createServer((req, res) => {
      if (req.url === '/health') {
        res.end();
        return;
      }
      this.requests++;
      const id = String(req.headers['x-id']);
      this.bodies.set(id, (this.bodies.get(id) ?? 0) + 1);
      req.resume().on('end', () => (this.breaksOff ? res.destroy() : res.end('ok')));
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** As kill -9 would: every connection is reset, and nobody listens. */
  async kill(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
let gateway: Gateway;
let backends: CountingBackend[];
let clock: TestClock;

beforeAll(async () => {
  backends = Array.from({ length: 3 }, () => new CountingBackend());
  await Promise.all(backends.map((backend) => backend.start()));
  clock = new TestClock();
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
pools:
  three: { backends: [${backends.map(({ port }) => `"http://127.0.0.1:${port}"`).join(', ')}] }
routes:
  - { id: three, path: /three, pool: three, auth: [none] }
`,
    override: (builder) => ASSIGNED_SLICES.override!(builder).overrideProvider(Clock).useValue(clock),
  });
}, 60_000);

afterAll(async () => {
  agent.destroy();
  await gateway[Symbol.asyncDispose]();
  await Promise.all(backends.map((backend) => backend.kill()));
});

beforeEach(() => {
  for (const backend of backends) {
    backend.requests = 0;
    backend.breaksOff = false;
    backend.bodies.clear();
  }
});

afterEach(async () => {
  for (const backend of backends) await backend.start();
});

let sent = 0;

async function ask(method: 'GET' | 'POST' | 'DELETE'): Promise<{ id: string; status: number }> {
  const id = String(sent++);
  const { hostname, port } = new URL(gateway.url);
  const body = method === 'POST' ? 'x'.repeat(1000) : undefined;
  const headers = { 'x-id': id };
  const asked = request({ hostname, port, path: '/three/x', method, agent, headers }).end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  await answer.resume().toArray();
  return { id, status: answer.statusCode ?? 0 };
}

/** So many requests, of which some are always under way; gives those that did not get 200. */
async function load(count: number, method: 'GET' | 'POST'): Promise<{ id: string; status: number }[]> {
  const failed: { id: string; status: number }[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (left-- > 0) {
        const outcome = await ask(method);
        if (outcome.status !== 200) failed.push(outcome);
      }
    }),
  );
  return failed;
}

describe('a pool of three backends', () => {
  it('shares the requests evenly', async () => {
    expect(await load(REQUESTS, 'GET')).toEqual([]);
    const shares = backends.map(({ requests }) => requests);
    for (const share of shares) expect(Math.abs(share - REQUESTS / 3)).toBeLessThanOrEqual(1);
  }, 120_000);

  it('loses no GET when one is killed under load, and gives it its share again when it returns', async () => {
    const [victim] = backends as [CountingBackend];
    const loaded = load(REQUESTS, 'GET');
    while (victim.requests < REQUESTS / 12) await new Promise(setImmediate);
    await victim.kill();
    expect(await loaded).toEqual([]);
    await victim.start();
    victim.requests = 0;
    clock.advance(60_000);
    expect(await load(300, 'GET')).toEqual([]);
    expect(Math.abs(victim.requests - 100)).toBeLessThanOrEqual(1);
  }, 120_000);

  it('sends no POST twice, and loses those alone that were under way at the one that is killed', async () => {
    const [, victim] = backends as [CountingBackend, CountingBackend];
    const loaded = load(REQUESTS, 'POST');
    while (victim.requests < REQUESTS / 12) await new Promise(setImmediate);
    await victim.kill();
    const failed = await loaded;
    expect(failed.length).toBeLessThanOrEqual(PARALLEL);
    for (const { status } of failed) expect(status).toBe(502);
    for (const backend of backends) {
      for (const [id, times] of backend.bodies) expect({ id, times }).toEqual({ id, times: 1 });
    }
    const reached = new Set(backends.flatMap(({ bodies }) => [...bodies.keys()]));
    const twice = backends.reduce((sum, { bodies }) => sum + bodies.size, 0) - reached.size;
    expect(twice).toBe(0);
  }, 120_000);

  it.each([
    ['POST', 1],
    ['DELETE', 1],
    ['GET', 2],
  ] as const)(
    'that break off once they have a %s get it, all together, so often: %i',
    async (method, times) => {
      clock.advance(120_000);
      for (const backend of backends) backend.breaksOff = true;
      expect((await ask(method)).status).toBe(502);
      expect(backends.reduce((sum, { requests }) => sum + requests, 0)).toBe(times);
    },
  );

  it('takes a POST that never left to another backend, whole', async () => {
    clock.advance(120_000);
    await load(6, 'GET');
    await Promise.all(backends.slice(1).map((backend) => backend.kill()));
    const failed = await load(4, 'POST');
    const [alive] = backends as [CountingBackend];
    expect(failed.length).toBeLessThanOrEqual(2);
    expect(alive.bodies.size).toBeGreaterThan(0);
  });

  it('is 503 while none is there, with when to come back', async () => {
    clock.advance(120_000);
    await Promise.all(backends.map((backend) => backend.kill()));
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask('GET')).status);
    expect(statuses.slice(-2)).toEqual([503, 503]);
    expect(statuses.every((status) => status === 502 || status === 503)).toBe(true);
  });
});
