import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RedisConnection } from '#auth';
import { AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { describeWithRedis, RedisServer } from '../../support/redis.js';

describeWithRedis('two gateways with one Redis', () => {
  const LIMIT = 6;
  let redis: RedisServer;
  let one: AuthApp;
  let two: AuthApp;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const options = {
      env: { REDIS_URL: redis.url, TRUST_PROXY: '127.0.0.1' },
      limits: { perAddress: LIMIT },
    };
    one = await AuthApp.start(options);
    two = await AuthApp.start({ ...options, database: one.database });
  });
  afterAll(async () => {
    await two[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  it('count requests together', async () => {
    const seen: number[] = [];
    for (let i = 0; i < LIMIT; i++) seen.push(await askFrom(i % 2 === 0 ? one : two, '203.0.113.1'));
    expect(new Set(seen)).toEqual(new Set([401]));
    expect(await askFrom(one, '203.0.113.1')).toBe(429);
    expect(await askFrom(two, '203.0.113.1')).toBe(429);
    expect(await askFrom(two, '203.0.113.2')).toBe(401);
  });

  it('count each for itself while Redis is away: the limit still holds', async () => {
    await redis.kill();
    for (const app of [one, two]) {
      await eventually(async () => expect(app.get(RedisConnection).isReady).toBe(false));
      const seen: number[] = [];
      for (let i = 0; i <= LIMIT; i++) seen.push(await askFrom(app, '203.0.113.3'));
      expect(seen.slice(0, LIMIT)).not.toContain(429);
      expect(seen[LIMIT]).toBe(429);
    }
    await redis.restart();
  });

  it('show each other’s sessions', async () => {
    await eventually(async () => {
      for (const app of [one, two]) expect(app.get(RedisConnection).isReady).toBe(true);
    });
    const { cookie } = await one.register();
    const headers = { cookie, 'x-forwarded-for': '203.0.113.4' };
    expect((await two.send('GET', '/auth/me', { headers })).status).toBe(200);
    expect((await two.send('POST', '/auth/logout', { headers })).status).toBe(204);
    expect((await one.send('GET', '/auth/me', { headers })).status).toBe(401);
  });
});

describe('what the log says of Redis', () => {
  const lines: string[] = [];
  const note = (...line: unknown[]): unknown => lines.push(JSON.stringify(line, revealErrors));
  afterEach(() => {
    Logger.overrideLogger(false);
    lines.length = 0;
  });

  async function connect(url: string): Promise<RedisConnection> {
    Logger.overrideLogger({ log: note, error: note, warn: note });
    const redis = new RedisConnection(url);
    await redis.onModuleInit();
    return redis;
  }

  it('is one line with what to do, and without the password, when it is not there', async () => {
    const redis = await connect(`redis://user:the-password@127.0.0.1:${await freePort()}/0`);
    await eventually(async () => expect(lines).toHaveLength(1));
    expect(lines[0]).toContain('REDIS_URL');
    expect(lines.join()).not.toContain('the-password');
    await expect(redis.run((client) => client.ping())).rejects.toMatchObject({
      code: 'SESSION_STORE_UNAVAILABLE',
    });
    await redis.onApplicationShutdown();
  });

  describeWithRedis('with a server', () => {
    it('is the same when the password is wrong', async () => {
      await using server = await RedisServer.start();
      const redis = await connect(server.url.replace(server.password, 'the-password'));
      expect(redis.isReady).toBe(false);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('WRONGPASS');
      expect(lines.join()).not.toContain('the-password');
      await redis.onApplicationShutdown();
    });

    it('tells of a loss, and of its end', async () => {
      await using server = await RedisServer.start();
      const redis = await connect(server.url);
      await server.kill();
      await eventually(async () => expect(lines).toHaveLength(1));
      await server.restart();
      await eventually(async () => expect(redis.isReady).toBe(true));
      expect(lines[1]).toContain('answers again');
      expect(lines.join()).not.toContain(server.password);
      await redis.onApplicationShutdown();
    });

    it('says nothing of a connection that the gateway itself ends', async () => {
      await using server = await RedisServer.start();
      const redis = await connect(server.url);
      await redis.onApplicationShutdown();
      expect(redis.isReady).toBe(false);
      expect(lines).toEqual([]);
    });
  });
});

async function askFrom(app: AuthApp, ip: string): Promise<number> {
  return (await app.send('GET', '/auth/me', { headers: { 'x-forwarded-for': ip } })).status;
}

/** Everything a logger could print of what it is given. */
function revealErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const parts = Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]);
  return Object.fromEntries(parts);
}
