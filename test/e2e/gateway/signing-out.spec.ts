import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionStore } from '#auth';
import type { Browser } from '../../support/clients.js';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { closeCode, echo, openSocket, refusedUpgrade } from '../../support/sockets.js';

/** RFC 6455 §7.4.1: policy violation. */
const SIGNED_OUT = 1008;
const ONE_SECOND = 1000;

let app: EchoApp;
let gateway: Gateway;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** Another device of the same customer. */
async function alsoSignedIn({ email }: Customer): Promise<Browser> {
  const browser = gateway.browser();
  await browser.login(email, PASSWORD);
  return browser;
}

function dial({ cookie }: Browser) {
  return openSocket(`${gateway.url}/api/live`, { cookie });
}

describe('signing out', () => {
  it("closes that session's WebSockets within a second, and leaves the customer's other devices alone", async () => {
    const customer = await customerWith(gateway, app);
    const laptop = customer.browser;
    const phone = await alsoSignedIn(customer);
    const [one, two, other] = await Promise.all([dial(laptop), dial(laptop), dial(phone)]);
    const closed = [closeCode(one), closeCode(two)];
    const begun = performance.now();
    await laptop.logout();
    expect(await Promise.all(closed)).toEqual([SIGNED_OUT, SIGNED_OUT]);
    expect(performance.now() - begun).toBeLessThan(ONE_SECOND);
    expect(await echo(other, 'still here')).toBe('still here');
    expect((await phone.get('/api/x')).status).toBe(200);
    other.terminate();
  });

  it('refuses its requests and upgrades from the very answer on', async () => {
    const { browser } = await customerWith(gateway, app);
    const { cookie } = browser;
    expect((await browser.get('/api/x')).status).toBe(200);
    await browser.logout();
    const [after, upgrade] = await Promise.all([
      gateway.browser().get('/api/x', { headers: { cookie } }),
      refusedUpgrade(`${gateway.url}/api/live`, { cookie }),
    ]);
    expect(after).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(upgrade.status).toBe(401);
  });

  it('everywhere closes the WebSockets of all devices', async () => {
    const customer = await customerWith(gateway, app);
    const sockets = await Promise.all([dial(customer.browser), dial(await alsoSignedIn(customer))]);
    const closed = sockets.map(closeCode);
    await gateway.get(SessionStore).revokeAll(customer.userId);
    expect(await Promise.all(closed)).toEqual([SIGNED_OUT, SIGNED_OUT]);
  });
});

describe("an operator's change", () => {
  it.each([
    ['stopped', { desired: 'stopped' }],
    ['to be destroyed', { desired: 'absent', status: 'destroying' }],
  ])('closes the WebSockets to a slice that is %s, though the app still runs', async (_what, change) => {
    const { browser, userId } = await customerWith(gateway, app);
    const socket = await dial(browser);
    const closed = closeCode(socket);
    await assign(gateway, userId, { port: app.port, ...change });
    expect(await closed).toBe(SIGNED_OUT);
  });

  it('closes the WebSockets to a slice that is given to somebody else', async () => {
    const { browser, userId } = await customerWith(gateway, app);
    const heir = await customerWith(gateway, null);
    const socket = await dial(browser);
    const closed = closeCode(socket);
    await gateway
      .get(DataSource)
      .query('UPDATE slice SET owner_id = $2 WHERE owner_id = $1', [userId, heir.userId]);
    expect(await closed).toBe(SIGNED_OUT);
    expect((await browser.get('/api/x')).body).toMatchObject({ code: 'NO_SLICE' });
    expect((await heir.browser.get('/api/x')).status).toBe(200);
  });

  it('closes the WebSockets to the former slice of a customer who is given another at the same time', async () => {
    const { browser, userId } = await customerWith(gateway, app);
    const heir = await customerWith(gateway, null);
    const socket = await dial(browser);
    const closed = closeCode(socket);
    await gateway.get(DataSource).transaction(async (both) => {
      await both.query('UPDATE slice SET owner_id = $2 WHERE owner_id = $1', [userId, heir.userId]);
      await both.query(
        `INSERT INTO slice (name, owner_id, runtime, memory_bytes, cpus, spec_hash, host, port, status, desired_state)
         VALUES ('another', $1, 'process', 1, 1, '', '127.0.0.1', $2, 'active', 'running')`,
        [userId, app.port],
      );
    });
    expect(await closed).toBe(SIGNED_OUT);
    expect((await browser.get('/api/x')).status).toBe(200);
  });

  it('that leaves the slice as it is closes nothing', async () => {
    const { browser, userId } = await customerWith(gateway, app);
    const socket = await dial(browser);
    await assign(gateway, userId, { port: app.port, status: 'provisioning' });
    await assign(gateway, userId, { port: app.port });
    await expect(echo(socket, 'still here')).resolves.toBe('still here');
    socket.terminate();
  });
});
