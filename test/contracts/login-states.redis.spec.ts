import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { RedisConnection, RedisLoginStates } from '#auth';
import { SecretBox } from '#common';
import { describeWithRedis, RedisServer } from '../support/redis.js';
import { TestClock } from '../support/test-clock.js';
import { loginStatesContract } from './login-states.contract.js';

const box = new SecretBox('the secret key of this test, long enough');

async function open() {
  const server = await RedisServer.start();
  const clock = new TestClock();
  const connections = [new RedisConnection(server.url), new RedisConnection(server.url)] as const;
  for (const connection of connections) await connection.onModuleInit();
  const [one, two] = connections;
  return {
    server,
    states: new RedisLoginStates(one, clock, box),
    replica: new RedisLoginStates(two, clock, box),
    clock,
    dump: async () => Buffer.from(JSON.stringify([...(await server.dump())])),
    async [Symbol.asyncDispose]() {
      for (const connection of connections) await connection.onApplicationShutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

describeWithRedis('Redis', () => {
  loginStatesContract('Redis', open);

  it('lets Redis delete sign-ins that nobody finished', async () => {
    await using under = await open();
    const hash = randomBytes(32).toString('base64url');
    await under.states.put(hash, 'record', 600_000);
    const connection = new RedisConnection(under.server.url);
    await connection.onModuleInit();
    const left = await connection.run((client) => client.pTTL(`state:${hash}`));
    await connection.onApplicationShutdown();
    expect(left).toBeGreaterThan(500_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });
});
