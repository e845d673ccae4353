import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ASSIGNED_SLICES, assignedSlices } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { refusedUpgrade } from '../../support/sockets.js';

let app: EchoApp;
let world: BillingWorld;

beforeAll(async () => {
  app = await EchoApp.start('1');
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const DAY_SECONDS = 24 * 3600;

/** A gateway on the same database. */
function replica(env: NodeJS.ProcessEnv = {}): Promise<Gateway> {
  return Gateway.start({
    ...ASSIGNED_SLICES,
    database: world.gateway.database,
    dataDir: world.gateway.dataDir,
    env: { ...ASSIGNED_SLICES.env, ...world.stripe.env, ...env },
  });
}

describe('who has not paid', () => {
  it('is told so on every path of the slice, HTTP and WebSocket alike, and where to pay', async () => {
    const { browser, subscription } = await world.subscriber(app);
    await world.answers(browser, 200);
    world.stripe.change(subscription, { status: 'unpaid' });
    await world.deliverAll();
    for (const path of ['/api/x', '/app/', '/socket.io/?EIO=4']) {
      const { status, body } = await browser.get(path);
      expect({ status, body }).toMatchObject({
        status: 402,
        body: { code: 'PAYMENT_REQUIRED', route: 'proxy' },
      });
      expect(body.message).toContain('/billing/create-checkout');
      expect(body.message).toContain('/billing/portal');
    }
    const refused = await refusedUpgrade(`${world.gateway.url}/socket.io/`, {
      cookie: browser.cookie,
      origin: world.gateway.url,
    });
    expect(refused).toMatchObject({ status: 402, body: { code: 'PAYMENT_REQUIRED' } });
    // What is Sluice's own stays open: it is where they pay.
    expect((await browser.get('/auth/me')).status).toBe(200);
    expect((await browser.get('/billing/portal')).status).toBe(200);
  });

  it('is told so by every replica within a second, and served again within one when it is paid', async () => {
    await using other = await replica();
    const { browser, subscription, userId } = await world.subscriber(app);
    const there = other.browser();
    there.cookie = browser.cookie;
    await world.answers(there, 200);
    world.stripe.change(subscription, { status: 'unpaid' });
    await world.deliverAll();
    await world.answers(there, 402, '/api/x', 1000);
    world.stripe.pay(subscription);
    await world.deliverAll();
    await world.answers(there, 200, '/api/x', 1000);
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'running', stoppedBy: null });
  });
});

describe('the end of grace', () => {
  it('is kept to the second for a session that is known, and stops nothing while Stripe can not be asked', async () => {
    await using graced = await BillingWorld.start(ASSIGNED_SLICES);
    const { browser, subscription, userId } = await graced.subscriber(app);
    graced.stripe.failPayment(subscription);
    await graced.deliverAll();
    await graced.answers(browser, 200);
    graced.stripe.weather = 'failing';
    graced.clock.advanceDays(7 - 20 / DAY_SECONDS);
    // The first of these extends the session, and has it read anew; by the last one it is known again.
    for (let i = 0; i < 10; i += 1) expect((await browser.get('/api/x')).status).toBe(200);
    graced.clock.advanceDays(30 / DAY_SECONDS);
    for (let i = 0; i < 3; i += 1) expect((await browser.get('/api/x')).status).toBe(402);
    expect(await graced.sliceOf(userId)).toMatchObject({ desired: 'running' });
    graced.stripe.weather = 'fine';
    graced.stripe.pay(subscription);
    await graced.deliverAll();
    await graced.answers(browser, 200, '/api/x', 1000);
    expect(await graced.trail(userId)).not.toContain('slice_stopped');
  });
});

describe('a request of a known session', () => {
  it('costs no query, with billing as without', async () => {
    const { browser } = await world.subscriber(app);
    await world.answers(browser, 200);
    const queries: string[] = [];
    const dataSource = world.gateway.get(DataSource);
    const query = dataSource.query.bind(dataSource);
    dataSource.query = (sql: string, ...rest: unknown[]) => {
      // The loop asks for those who have left, beside every request.
      const isOfLoop = sql.includes('deleted_at IS NOT NULL');
      if (!isOfLoop && /session|billing_account" "account|"user"/.test(sql)) queries.push(sql);
      return Reflect.apply(query, dataSource, [sql, ...rest]);
    };
    try {
      for (let i = 0; i < 20; i += 1) expect((await browser.get('/api/x')).status).toBe(200);
    } finally {
      dataSource.query = query;
    }
    expect(queries).toEqual([]);
  });
});

describe('what billing stops and starts', () => {
  it('is not what the operator stopped: paying does not start that', async () => {
    const { browser, subscription, userId } = await world.subscriber(app);
    await world.assign(userId, { port: 1, status: 'stopped', desired: 'stopped' });
    world.stripe.change(subscription, { status: 'unpaid' });
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: null });
    world.stripe.pay(subscription);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: null });
    expect(await world.trail(userId)).not.toContain('slice_started');
    expect((await browser.get('/api/x')).body.code).toBe('SLICE_STOPPED');
  });

  it('is the operator’s once they stop it as well, and theirs to start', async () => {
    const { subscription, userId } = await world.subscriber(app);
    world.stripe.change(subscription, { status: 'unpaid' });
    await world.deliverAll();
    const [slice] = await world.query<{ id: number }>('SELECT id FROM slice WHERE owner_id = $1', [userId]);
    const operator = world.gateway.operator();
    expect((await operator.post(`/orchestrator/slices/${slice?.id}/stop`)).status).toBe(200);
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: null });
    world.stripe.pay(subscription);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: null });
  });

  it('changes once, whatever more is told of it', async () => {
    const { subscription, userId } = await world.subscriber(app);
    const { generation = 0 } = (await world.sliceOf(userId)) ?? {};
    for (const status of ['unpaid', 'paused', 'unpaid']) {
      world.stripe.change(subscription, { status });
      await world.deliverAll();
    }
    world.stripe.cancel(subscription);
    await world.deliverAll();
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', generation: generation + 1 });
    expect((await world.trail(userId)).filter((step) => step === 'slice_stopped')).toHaveLength(1);
  });
});

describe('BILLING_REQUIRED', () => {
  it('asks for a subscription from the start, and stops what a newcomer was given', async () => {
    await using required = await BillingWorld.start(assignedSlices({ BILLING_REQUIRED: 'true' }));
    const { browser, userId } = await required.customer(app);
    expect(await browser.get('/api/x')).toMatchObject({ status: 402, body: { code: 'PAYMENT_REQUIRED' } });
    expect((await browser.get('/billing/status')).body).toMatchObject({ status: 'none', entitled: false });
    await eventually(async () =>
      expect(await required.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: 'billing' }),
    );
    await required.subscribe(browser);
    await required.answers(browser, 200, '/api/x', 1000);
    expect(await required.sliceOf(userId)).toMatchObject({ desired: 'running', stoppedBy: null });
    // Nobody else is: without a slice it is about the payment all the same.
    const { browser: another } = await required.customer(null);
    expect((await another.get('/api/x')).status).toBe(402);
  });
});

describe('without billing', () => {
  it('nobody is blocked, what billing stopped runs again, and its endpoints say that it is off', async () => {
    await using place = await Installation.create();
    const { database, dataDir } = place;
    await using before = await BillingWorld.start({ ...ASSIGNED_SLICES, database, dataDir });
    const { browser, subscription, userId } = await before.subscriber(app);
    before.stripe.cancel(subscription);
    await before.deliverAll();
    await before.answers(browser, 402);
    await using gateway = await Gateway.start({
      ...ASSIGNED_SLICES,
      database,
      dataDir,
      env: { ...ASSIGNED_SLICES.env, BILLING_REQUIRED: 'true' },
    });
    const visitor = gateway.browser();
    visitor.cookie = browser.cookie;
    for (const [method, path] of [
      ['POST', '/billing/create-checkout'],
      ['GET', '/billing/portal'],
      ['POST', '/billing/webhook'],
    ] as const)
      expect(await visitor.send(method, path, method === 'POST' ? { body: {} } : {})).toMatchObject({
        status: 503,
        body: { code: 'BILLING_DISABLED', error: 'billing_disabled', route: 'billing' },
      });
    expect((await visitor.get('/billing/status')).body).toEqual({
      enabled: false,
      status: 'none',
      entitled: true,
      priceId: null,
      currentPeriodEnd: null,
      cancelAtPeriodEnd: false,
      trialEnd: null,
    });
    expect((await visitor.get('/auth/me')).body.subscription).toBeNull();
    // The other gateway leads until it is gone; then the one without billing gives back what was stopped.
    await before.gateway[Symbol.asyncDispose]();
    await eventually(async () => {
      const [slice] = await gateway
        .get(DataSource)
        .query('SELECT desired_state AS desired FROM slice WHERE owner_id = $1', [userId]);
      expect(slice.desired).toBe('running');
    });
    await before.answers(visitor, 200);
  });
});
