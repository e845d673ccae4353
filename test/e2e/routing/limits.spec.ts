import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RouteLimiter } from '../../../libs/proxy/src/limits/route-limiter.js';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { describeWithRedis, RedisServer } from '../../support/redis.js';
import { send } from '../../support/routes.js';

/** Answers at once, but for `/slow`, which it holds back until it is told to go on. */
class SlowUpstream implements AsyncDisposable {
  readonly held: ServerResponse[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((req, res) => {
      if (req.url?.includes('/slow') === true) this.held.push(res);
      else res.end('ok');
    });
  }

  static async start(): Promise<SlowUpstream> {
    const upstream = new SlowUpstream();
    upstream.server.listen(0, '127.0.0.1');
    await once(upstream.server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  release(): void {
    for (const res of this.held.splice(0)) res.end('at last');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

let upstream: SlowUpstream;
let gateway: Gateway;

function configFile(): string {
  return `
services:
  few: { url: "http://127.0.0.1:${upstream.port}", path: /few, rateLimit: 3/min }
  mine: { url: "http://127.0.0.1:${upstream.port}", path: /mine, auth: [session], rateLimit: 2/hour }
  narrow: { url: "http://127.0.0.1:${upstream.port}", path: /narrow, maxInFlight: 2 }
  wide: { url: "http://127.0.0.1:${upstream.port}", path: /wide }
`;
}

beforeAll(async () => {
  upstream = await SlowUpstream.start();
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    env: { ...ASSIGNED_SLICES.env, SLICE_MAX_IN_FLIGHT: '2', TRUST_PROXY: '127.0.0.1' },
    configFile: configFile(),
  });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function from(cookie: string, ip: string): Record<string, string> {
  return { cookie, 'x-forwarded-for': ip };
}

async function statuses(
  count: number,
  path: string,
  headers: Record<string, string>,
  url = gateway.url,
): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await send(url, path, { headers })).status);
  return found;
}

describe('the rate limit of a route', () => {
  it('is each client’s own, by its address, and tells when to come back', async () => {
    expect(await statuses(4, '/few/x', { 'x-forwarded-for': '203.0.113.1' })).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, '/few/x', { 'x-forwarded-for': '203.0.113.2' })).toEqual([200]);
    const refused = await send(gateway.url, '/few/x', { headers: { 'x-forwarded-for': '203.0.113.1' } });
    expect(refused.json).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-remaining': '0' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('is an account’s own where somebody is signed in, wherever they are', async () => {
    const [one, other] = [await customerWith(gateway, null), await customerWith(gateway, null)];
    expect(await statuses(1, '/mine/x', from(one.browser.cookie, '203.0.113.3'))).toEqual([200]);
    expect(await statuses(2, '/mine/x', from(one.browser.cookie, '203.0.113.4'))).toEqual([200, 429]);
    expect(await statuses(1, '/mine/x', from(other.browser.cookie, '203.0.113.4'))).toEqual([200]);
  });

  it('holds for one route, and for no other', async () => {
    await statuses(4, '/few/x', { 'x-forwarded-for': '203.0.113.5' });
    expect(await statuses(5, '/wide/x', { 'x-forwarded-for': '203.0.113.5' })).toEqual([
      200, 200, 200, 200, 200,
    ]);
  });
});

/** Keeps two requests waiting; gives what the next ones get meanwhile, and then the two. */
async function whileTwoWait(
  path: string,
  headers: Record<string, string>,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const waiting = [1, 2].map(() => send(gateway.url, path, { headers }));
  await eventually(async () => expect(upstream.held.length).toBe(2));
  await meanwhile();
  upstream.release();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
}

describe('an upstream that is slow', () => {
  it('gets no more requests at once than its route says, and the others are not held up', async () => {
    await whileTwoWait('/narrow/slow', {}, async () => {
      const refused = await send(gateway.url, '/narrow/x');
      expect(refused).toMatchObject({ status: 503, json: { code: 'UPSTREAM_BUSY' } });
      expect(refused.headers['retry-after']).toBe('1');
      expect((await send(gateway.url, '/wide/x')).status).toBe(200);
    });
    await eventually(async () => expect((await send(gateway.url, '/narrow/x')).status).toBe(200));
  });

  it('is a slice as well: its own customer waits, and nobody else', async () => {
    const customer = await customerWith(gateway, { port: upstream.port });
    const headers = { cookie: customer.browser.cookie };
    await whileTwoWait('/api/slow', headers, async () => {
      const refused = await send(gateway.url, '/api/x', { headers });
      expect(refused).toMatchObject({ status: 503, json: { code: 'SLICE_BUSY' } });
      expect(refused.headers['retry-after']).toBe('1');
      expect((await send(gateway.url, '/wide/x')).status).toBe(200);
      expect((await send(gateway.url, '/healthz')).status).toBe(200);
    });
  });
});

describeWithRedis('two gateways with one Redis', () => {
  it('count together, a little behind', async () => {
    await using redis = await RedisServer.start();
    const env = {
      ...ASSIGNED_SLICES.env,
      REDIS_URL: redis.url,
      TRUST_PROXY: '127.0.0.1',
      SECRET_KEY: 'k'.repeat(43),
    };
    await using here = await Gateway.start({ ...ASSIGNED_SLICES, env, configFile: configFile() });
    await using there = await Gateway.start({
      ...ASSIGNED_SLICES,
      env,
      configFile: configFile(),
      database: here.database,
    });
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    expect(await statuses(2, '/few/x', headers, here.url)).toEqual([200, 200]);
    expect(await statuses(1, '/few/x', headers, there.url)).toEqual([200]);
    await here.get(RouteLimiter).sync();
    await there.get(RouteLimiter).sync();
    // The second there, and the fourth of all.
    expect(await statuses(1, '/few/x', headers, there.url)).toEqual([429]);
  }, 60_000);
});
