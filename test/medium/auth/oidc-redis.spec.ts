import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ControlConnection } from '#database';
import type { AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { OidcBrowser } from '../../support/oidc-browser.js';
import { OidcWorld } from '../../support/oidc-world.js';
import { describeWithRedis, RedisServer } from '../../support/redis.js';

const NEARLY_OVER = 59.5 * 60_000;

describeWithRedis('OpenID Connect with sessions in Redis, on two gateways', () => {
  let redis: RedisServer;
  let world: OidcWorld;
  let there: AuthApp;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const env = { REDIS_URL: redis.url };
    world = await OidcWorld.start({ env });
    there = await OidcWorld.startApp(world.provider, { env, database: world.app.database });
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
  });
  afterAll(async () => {
    await there[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  it('takes a state once', async () => {
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, world.person().subject);
    const pages = await Promise.all([browser.open(callback), browser.open(callback)]);
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([302, 400]);
  });

  it('refreshes once for fifty requests at the moment of expiry, and signs nobody out', async () => {
    const { cookie } = await world.signIn(world.person().subject);
    for (const { clock } of [world.app, there]) clock.advance(NEARLY_OVER);
    const before = world.provider.refreshes;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        (i % 2 === 0 ? world.app : there).send('GET', '/whoami/me', { headers: { cookie } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(world.provider.refreshes - before).toBe(1);
  });

  it('ends a session everywhere when the provider refuses', async () => {
    const { cookie } = await world.signIn(world.person().subject);
    await world.provider.revokeGrants();
    for (const { clock } of [world.app, there]) clock.advance(NEARLY_OVER);
    expect(await there.me(cookie)).toMatchObject({ status: 401, body: { error: 'Session expired' } });
    expect((await world.app.me(cookie)).status).toBe(401);
  });
});
