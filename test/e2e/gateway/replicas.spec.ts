import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlConnection } from '#database';
import type { Browser } from '../../support/clients.js';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { controlPids, terminateControl } from '../../support/control.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { closeCode, echo, openSocket } from '../../support/sockets.js';

const ONE_SECOND = 1000;

let app: EchoApp;
let moved: EchoApp;
let here: Gateway;
let there: Gateway;
/** The server's process behind the other gateway's control connection. */
let controlOfThere: number;
let customer: Customer;
/** The same browser, sent to the other gateway by the load balancer. */
let elsewhere: Browser;

beforeAll(async () => {
  [app, moved] = await Promise.all([EchoApp.start('first'), EchoApp.start('second')]);
  here = await Gateway.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await Promise.all([app[Symbol.asyncDispose](), moved[Symbol.asyncDispose]()]);
});

beforeEach(async () => {
  const before = await controlPids(here.database);
  there = await Gateway.start({ ...ASSIGNED_SLICES, database: here.database, dataDir: here.dataDir });
  controlOfThere = (await controlPids(here.database)).find((pid) => !before.includes(pid)) ?? 0;
  customer = await customerWith(here, app);
  elsewhere = there.browser();
  elsewhere.cookie = customer.browser.cookie;
  await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
  expect((await elsewhere.get('/api/x')).body).toMatchObject({ sliceId: 'first' });
});

afterEach(() => there[Symbol.asyncDispose]());

async function refusedThere(): Promise<void> {
  expect(await elsewhere.get('/api/x')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
}

describe('two gateways on one database', () => {
  it('both refuse who signed out at one of them, within a second, though the other knew them well', async () => {
    await customer.browser.logout();
    await eventually(refusedThere, ONE_SECOND);
  });

  it('both close the WebSockets of who signed out at one of them', async () => {
    const socket = await openSocket(`${there.url}/api/live`, { cookie: elsewhere.cookie });
    const closed = closeCode(socket);
    const begun = performance.now();
    await customer.browser.logout();
    expect(await closed).toBe(1008);
    expect(performance.now() - begun).toBeLessThan(ONE_SECOND);
  });

  it('both follow a slice that moves, stops and starts again', async () => {
    await assign(here, customer.userId, { port: moved.port });
    await eventually(async () => expect((await elsewhere.get('/api/x')).body.sliceId).toBe('second'), 1000);
    await assign(here, customer.userId, { port: moved.port, desired: 'stopped', status: 'stopped' });
    await eventually(
      async () => expect((await elsewhere.get('/api/x')).body.code).toBe('SLICE_STOPPED'),
      1000,
    );
    await assign(here, customer.userId, app);
    await eventually(async () => expect((await elsewhere.get('/api/x')).body.sliceId).toBe('first'), 1000);
  });
});

describe('a gateway that hears nothing of the other', () => {
  it('does not let in who signed out, while its control connection is cut again and again', async () => {
    await whileCut(async () => {
      await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(false));
      await customer.browser.logout();
      for (let i = 0; i < 20; i++) await refusedThere();
    });
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
    await refusedThere();
  });

  it('goes on serving who did not sign out', async () => {
    await terminateControl(here.database);
    for (let i = 0; i < 20; i++) expect((await elsewhere.get('/api/x')).status).toBe(200);
  });

  it('does not let in who signed out within a second, while its control connection hangs', async () => {
    await whileFrozen(controlOfThere, async () => {
      await customer.browser.logout();
      await eventually(refusedThere, ONE_SECOND);
      for (let i = 0; i < 20; i++) await refusedThere();
    });
  });

  it('closes the WebSockets of who signed out meanwhile, once it hears again', async () => {
    const cookie = { cookie: elsewhere.cookie };
    const other = await customerWith(here, app);
    const socket = await openSocket(`${there.url}/api/live`, cookie);
    const staying = await openSocket(`${there.url}/api/live`, { cookie: other.browser.cookie });
    const closed = closeCode(socket);
    await whileFrozen(controlOfThere, async () => {
      await customer.browser.logout();
      // Freed only once it was given up: what it had to say is lost.
      await eventually(async () => expect(await controlPids(here.database)).toHaveLength(3));
    });
    expect(await closed).toBe(1008);
    expect(await echo(staying, 'still here')).toBe('still here');
    staying.terminate();
  });
});

/** Ends every control connection meanwhile, again and again. */
async function whileCut(act: () => Promise<void>): Promise<void> {
  const cutting = new AbortController();
  const cuts = (async () => {
    while (!cutting.signal.aborted) await terminateControl(here.database).catch(() => undefined);
  })();
  await act().finally(() => cutting.abort());
  await cuts;
}

/** Stops a process meanwhile: its connections stand, and nothing comes of them. */
async function whileFrozen(pid: number, act: () => Promise<void>): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await act();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
