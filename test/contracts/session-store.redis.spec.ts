import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { hashSessionId, newSessionId, RedisConnection, RedisSessionStore, type SessionStore } from '#auth';
import { describeWithRedis, RedisServer } from '../support/redis.js';
import { type StoreParts, twoReplicas } from '../support/session-stores.js';
import { sessionStoreContract } from './session-store.contract.js';

async function redisReplicas() {
  const server = await RedisServer.start();
  const connections = [new RedisConnection(server.url), new RedisConnection(server.url)] as const;
  for (const connection of connections) await connection.onModuleInit();
  const unused = [...connections];
  const { dispose, ...replicas } = await twoReplicas(
    ({ dataSource, clock, revocations, config, box }: StoreParts) =>
      new RedisSessionStore(unused.shift() ?? connections[0], dataSource, clock, revocations, config, box),
  );
  return {
    ...replicas,
    server,
    dispose: async () => {
      for (const connection of connections) await connection.onApplicationShutdown();
      await server[Symbol.asyncDispose]();
      await dispose();
    },
  };
}

describeWithRedis('Redis', () => {
  sessionStoreContract('Redis', async () => {
    const { dispose, server, ...replicas } = await redisReplicas();
    return {
      ...replicas,
      dump: async () => Buffer.from(JSON.stringify([...(await server.dump())])),
      [Symbol.asyncDispose]: dispose,
    };
  });

  let under: Awaited<ReturnType<typeof redisReplicas>>;
  let userId: string;
  beforeAll(async () => {
    under = await redisReplicas();
    userId = (await under.createUser()).id;
  });
  afterAll(() => under.dispose());

  async function open(kind: 'password' | 'oidc' = 'password', store: SessionStore = under.store) {
    const hash = hashSessionId(newSessionId());
    await store.create({ hash, userId, kind, subject: null, tokens: null, ip: '::1', userAgent: null });
    return hash;
  }

  it('leaves nothing behind of sessions that have ended', async () => {
    const [one] = [await open(), await open('oidc'), await open()];
    await under.store.revoke(one);
    expect([...(await under.server.dump()).keys()].toSorted()).toHaveLength(3);
    await under.store.revokeAll(userId);
    expect(await under.server.dump()).toEqual(new Map());
  });

  it('keeps the names of expired sessions no longer than until the next sign-in', async () => {
    const expired = await open('oidc');
    under.clock.advance(under.terms.oidcTtlMs);
    await open();
    expect((await under.server.dump()).get(`user-sessions:${userId}`)).not.toContain(expired);
    await under.store.revokeAll(userId);
  });

  it('finds an index that lives as long as the last of its sessions', async () => {
    await open('password');
    await open('oidc');
    const connection = new RedisConnection(under.server.url);
    await connection.onModuleInit();
    const left = await connection.run((client) => client.pTTL(`user-sessions:${userId}`));
    await connection.onApplicationShutdown();
    expect(left).toBeGreaterThan(under.terms.ttlMs - 60_000);
    await under.store.revokeAll(userId);
  });

  it('takes for none what does not stand in its user’s index, whatever else is left of it', async () => {
    const hash = await open();
    const connection = new RedisConnection(under.server.url);
    await connection.onModuleInit();
    await connection.run((client) => client.del(`user-sessions:${userId}`));
    await connection.onApplicationShutdown();
    expect(await under.store.find(hash)).toBeNull();
    expect(await under.store.touch(hash)).toBe(false);
    expect(await under.store.list(userId)).toEqual([]);
  });

  it('tells of a revocation that is repeated because the first time it could not be told', async () => {
    const hash = await open();
    jest.spyOn(under.control, 'notify').mockRejectedValueOnce(new Error('the bus is away'));
    await expect(under.store.revoke(hash)).rejects.toThrow('the bus is away');
    expect(await under.replica.find(hash)).toBeNull();
    await under.settle();
    expect(under.heardByReplica).not.toContainEqual({ userId, sessionHash: hash });
    await under.store.revoke(hash);
    await under.settle();
    expect(under.heardByReplica).toContainEqual({ userId, sessionHash: hash });
  });
});
