import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { hashSessionId, newSessionId, RedisConnection, SecretsRotation, SessionStore } from '#auth';
import { SecretBox } from '#common';
import { type SealedPlace, SecretRotation } from '#database';
import { RedisTokenRotation } from '../../../libs/auth/src/redis/redis-token-rotation.js';
import { AuthApp } from '../../support/auth-app.js';
import { describeWithRedis, RedisServer } from '../../support/redis.js';

const BEFORE = 'the secret key of before, long enough';
const AFTER = 'the secret key from now on, long enough';

const tokens = {
  accessToken: 'access',
  refreshToken: 'refresh',
  idToken: null,
  obtainedAtMs: 1,
  accessExpiresAtMs: null,
  scope: null,
};

/** Opens a session with tokens, sealed with the key of this gateway. */
async function openSession(app: AuthApp, userId: string): Promise<string> {
  const hash = hashSessionId(newSessionId());
  const opened = { hash, userId, kind: 'oidc', subject: 'sub', tokens } as const;
  await app.get(SessionStore).create({ ...opened, ip: '127.0.0.1', userAgent: null });
  return hash;
}

describeWithRedis('a rotation of SECRET_KEY with sessions in Redis', () => {
  it('seals the tokens there anew, and says so when neither key opens them', async () => {
    await using redis = await RedisServer.start();
    await using old = await AuthApp.start({ env: { REDIS_URL: redis.url, SECRET_KEY: BEFORE } });
    const { body } = await old.register();
    const hash = await openSession(old, body.user.id);
    const rotateWith = (current: string, previous: string) => {
      const box = new SecretBox(current, previous);
      const database = new SecretRotation(old.get(DataSource), box);
      return new SecretsRotation(database, old.get(RedisConnection), box).run();
    };
    expect(await rotateWith(AFTER, 'a secret key that was never in force')).toMatchObject({
      complete: false,
      parts: expect.arrayContaining([{ name: 'session tokens in Redis', resealed: 0, unreadable: 1 }]),
    });
    expect(await rotateWith(AFTER, BEFORE)).toMatchObject({
      complete: true,
      parts: expect.arrayContaining([{ name: 'session tokens in Redis', resealed: 1, unreadable: 0 }]),
    });
    expect(await rotateWith(AFTER, BEFORE)).toMatchObject({
      parts: expect.arrayContaining([{ name: 'session tokens in Redis', resealed: 0, unreadable: 0 }]),
    });

    await using after = await AuthApp.start({
      env: { REDIS_URL: redis.url, SECRET_KEY: AFTER },
      database: old.database,
    });
    expect(await after.get(SessionStore).tokensOf(hash)).toEqual(tokens);
  });

  it('is not complete while a gateway that does not know the current key goes on sealing', async () => {
    await using redis = await RedisServer.start();
    await using old = await AuthApp.start({ env: { REDIS_URL: redis.url, SECRET_KEY: BEFORE } });
    const { body } = await old.register();
    const box = new SecretBox(AFTER, BEFORE);
    const database = new SecretRotation(old.get(DataSource), box);
    const inRedis = new RedisTokenRotation(old.get(RedisConnection), box);
    const straggler: SealedPlace = {
      async rotate() {
        await openSession(old, body.user.id);
        return { name: 'a gateway of before', resealed: 0, unreadable: 0 };
      },
      isDone: async () => true,
    };
    expect((await database.run([inRedis, straggler])).complete).toBe(false);
    expect((await database.run([inRedis])).complete).toBe(true);
  });
});
