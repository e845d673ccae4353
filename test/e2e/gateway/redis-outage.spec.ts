import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Answer, Browser } from '../../support/clients.js';
import { ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { describeWithRedis, RedisServer } from '../../support/redis.js';
import { refusedUpgrade } from '../../support/sockets.js';

/** What nobody waits longer for, whatever Redis does. */
const BOUND_MS = 2000;
const BACK_WITHIN_MS = 2000;
const BOGUS = `session=${'A'.repeat(43)}`;
const UNAVAILABLE = { status: 503, body: { code: 'SESSION_STORE_UNAVAILABLE', route: 'auth' } };

describeWithRedis('a gateway whose Redis is lost', () => {
  let app: EchoApp;
  let redis: RedisServer;
  let gateway: Gateway;
  let customer: Customer;
  beforeAll(async () => {
    [app, redis] = await Promise.all([EchoApp.start('first'), RedisServer.start()]);
    const { env } = ASSIGNED_SLICES;
    gateway = await Gateway.start({ ...ASSIGNED_SLICES, env: { ...env, REDIS_URL: redis.url } });
    customer = await customerWith(gateway, app);
  }, 30_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await Promise.all([redis[Symbol.asyncDispose](), app[Symbol.asyncDispose]()]);
  });

  const as = (cookie: string): Browser => {
    const browser = gateway.browser();
    browser.cookie = cookie;
    return browser;
  };
  const me = (cookie = customer.browser.cookie): Promise<Answer> => as(cookie).get('/auth/me');
  const health = async (): Promise<Answer> => gateway.browser().get('/health');

  async function refuses(): Promise<void> {
    expect(await me()).toMatchObject(UNAVAILABLE);
  }

  async function serves(): Promise<void> {
    expect((await me()).status).toBe(200);
  }

  const outages = [
    { what: 'is killed', begin: () => redis.kill(), end: () => redis.restart() },
    { what: 'is frozen', begin: async () => redis.freeze(), end: async () => redis.thaw() },
  ];

  it.each(outages)(
    'and $what under load tells everybody to come back, lets nobody in, signs nobody out, and recovers',
    async ({ begin, end }) => {
      await using load = new Load([
        { name: 'signed in', ask: () => me() },
        { name: 'made up', ask: () => me(BOGUS) },
        { name: 'signing in', ask: () => as('').login(customer.email, PASSWORD) },
      ]);
      await eventually(async () => expect(load.seen('signed in')).toContain(200));
      await begin();
      await eventually(refuses, BOUND_MS);
      await eventually(async () => expect(load.seen('signing in')).toContain(503));
      // What it said less than a second ago is said again.
      await eventually(async () =>
        expect(await health()).toMatchObject({
          status: 200,
          body: { status: 'degraded', checks: { redis: 'down' } },
        }),
      );
      await end();
      await eventually(serves, BACK_WITHIN_MS);
      await load.stop();
      expect(load.seen('signed in')).toEqual(new Set([200, 503]));
      expect(load.seen('made up')).toEqual(new Set([401, 503]));
      expect(load.seen('signing in')).toEqual(new Set([200, 503]));
      expect(load.slowestMs).toBeLessThan(BOUND_MS);
      await eventually(async () => expect((await health()).body.status).toBe('ok'));
    },
    30_000,
  );

  it.each(outages)(
    'and $what refuses whom it does not know, on slice paths too, and when to come back',
    async ({ begin, end }) => {
      const unknown = gateway.browser();
      await unknown.login(customer.email, PASSWORD);
      await begin();
      await eventually(refuses, BOUND_MS);
      const headers = { cookie: unknown.cookie };
      const answer = await unknown.get('/api/x');
      expect(answer).toMatchObject(UNAVAILABLE);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(await refusedUpgrade(`${gateway.url}/api/live`, headers)).toMatchObject(UNAVAILABLE);
      expect(await as(BOGUS).get('/api/x')).toMatchObject(UNAVAILABLE);
      expect(await gateway.browser().get('/api/x')).toMatchObject({ status: 401 });
      await end();
      await eventually(async () => expect((await unknown.get('/api/x')).status).toBe(200), BACK_WITHIN_MS);
    },
    30_000,
  );

  it('does not say that somebody signed out who did not', async () => {
    const browser = gateway.browser();
    await browser.login(customer.email, PASSWORD);
    const { cookie } = browser;
    await redis.kill();
    await eventually(refuses, BOUND_MS);
    expect(await as(cookie).logout()).toMatchObject(UNAVAILABLE);
    expect(await as(cookie).post('/auth/logout-all')).toMatchObject(UNAVAILABLE);
    await redis.restart();
    await eventually(async () => expect((await me(cookie)).status).toBe(200), BACK_WITHIN_MS);
    expect((await as(cookie).logout()).status).toBe(204);
    expect((await me(cookie)).status).toBe(401);
  }, 30_000);

  it('starts all the same, says so, and takes Redis up when it comes', async () => {
    await redis.kill();
    await using late = await Gateway.start({
      ...ASSIGNED_SLICES,
      database: gateway.database,
      dataDir: gateway.dataDir,
      env: { ...ASSIGNED_SLICES.env, REDIS_URL: redis.url },
    });
    const browser = new Browser(late.url);
    expect(await browser.get('/health')).toMatchObject({ status: 200, body: { checks: { redis: 'down' } } });
    expect(await browser.login(customer.email, PASSWORD)).toMatchObject(UNAVAILABLE);
    await redis.restart();
    await eventually(async () => {
      expect((await browser.login(customer.email, PASSWORD)).status).toBe(200);
    }, BACK_WITHIN_MS);
    expect((await browser.get('/auth/me')).status).toBe(200);
  }, 30_000);
});

interface Question {
  readonly name: string;
  readonly ask: () => Promise<Answer>;
}

/** Asks each question again and again, and notes what came and how long that took. */
class Load implements AsyncDisposable {
  slowestMs = 0;
  private readonly stopping = new AbortController();
  private readonly statuses = new Map<string, Set<number>>();
  private readonly asking: Promise<void[]>;

  constructor(questions: readonly Question[]) {
    this.asking = Promise.all(questions.map((question) => this.keepAsking(question)));
  }

  seen(name: string): ReadonlySet<number> {
    return this.statuses.get(name) ?? new Set();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.asking;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async keepAsking({ name, ask }: Question): Promise<void> {
    const seen = new Set<number>();
    this.statuses.set(name, seen);
    while (!this.stopping.signal.aborted) {
      const begun = performance.now();
      seen.add((await ask()).status);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
    }
  }
}
