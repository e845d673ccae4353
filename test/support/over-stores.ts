import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeWithRedis, RedisServer } from './redis.js';

/** Describes the same behaviour once for each store of sessions. */
export function describeOverStores(title: string, body: (env: () => NodeJS.ProcessEnv) => void): void {
  describe(`${title}, with sessions in PostgreSQL`, () => body(() => ({})));

  describeWithRedis(`${title}, with sessions in Redis`, () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    body(() => ({ REDIS_URL: server.url }));
  });
}
