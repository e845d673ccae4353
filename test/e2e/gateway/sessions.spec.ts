import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { WebSocket } from 'ws';
import { ControlConnection, User } from '#database';
import type { Answer, Browser } from '../../support/clients.js';
import { ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { describeOverStores } from '../../support/over-stores.js';
import { closeCode, echo, openSocket } from '../../support/sockets.js';

/** RFC 6455 §7.4.1: policy violation. */
const SIGNED_OUT = 1008;
const ONE_SECOND = 1000;

/** A signed-in browser with a WebSocket open at each of the two gateways. */
interface Device {
  readonly browser: Browser;
  readonly sockets: readonly WebSocket[];
}

describeOverStores('ending sessions of a user of two gateways', (env) => {
  let app: EchoApp;
  let here: Gateway;
  let there: Gateway;
  let customer: Customer;
  let laptop: Device;
  let phone: Device;
  let stranger: Device;

  beforeAll(async () => {
    app = await EchoApp.start('1');
    const options = { ...ASSIGNED_SLICES, env: { ...ASSIGNED_SLICES.env, ...env() } };
    here = await Gateway.start(options);
    there = await Gateway.start({ ...options, database: here.database, dataDir: here.dataDir });
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
  }, 30_000);

  afterAll(async () => {
    await there[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    customer = await customerWith(here, app);
    const another = here.browser();
    await another.login(customer.email, PASSWORD);
    laptop = await dial(customer.browser);
    phone = await dial(another);
    stranger = await dial((await customerWith(here, app)).browser);
  });

  async function dial(browser: Browser): Promise<Device> {
    const { cookie } = browser;
    const sockets = await Promise.all(
      [here, there].map(({ url }) => openSocket(`${url}/api/live`, { cookie })),
    );
    return { browser, sockets };
  }

  /** Does it, and sees that exactly these are signed out within a second, with all that goes with that. */
  async function ends(devices: readonly Device[], act: () => Promise<Answer>, status: number): Promise<void> {
    const cookies = devices.map(({ browser }) => browser.cookie);
    const staying = [laptop, phone, stranger].filter((device) => !devices.includes(device));
    const closed = devices.flatMap(({ sockets }) => sockets.map(closeCode));
    const begun = performance.now();
    expect((await act()).status).toBe(status);
    expect(new Set(await Promise.all(closed))).toEqual(new Set([SIGNED_OUT]));
    await eventually(async () => {
      for (const cookie of cookies) {
        for (const { url } of [here, there]) {
          const { status: after } = await fetch(`${url}/api/x`, { headers: { cookie } });
          expect(after).toBe(401);
        }
      }
    }, ONE_SECOND);
    expect(performance.now() - begun).toBeLessThan(ONE_SECOND);
    for (const { browser, sockets } of staying) {
      for (const socket of sockets) expect(await echo(socket, 'still here')).toBe('still here');
      expect((await browser.get('/api/x')).status).toBe(200);
      for (const socket of sockets) socket.terminate();
    }
  }

  it('one by one', async () => {
    const { body } = await phone.browser.get('/auth/sessions');
    const other = body.find(({ current }: { current: boolean }) => !current);
    await ends([laptop], () => phone.browser.send('DELETE', `/auth/sessions/${other.id}`), 204);
  });

  it('all at once, by themselves', async () => {
    await ends([laptop, phone], () => laptop.browser.post('/auth/logout-all'), 204);
  });

  it('all but the one that changes the password', async () => {
    const change = { current: PASSWORD, next: 'another password of theirs' };
    await ends([phone], () => laptop.browser.post('/auth/password', change), 204);
  });

  it.each([{ role: 'admin' }, { disabled: true }])('by an operator’s change to %j', async (change) => {
    const users = here.get(DataSource).getRepository(User);
    await users.update({ id: customer.userId }, { emailVerifiedAt: new Date() });
    const path = `/admin/users/${customer.userId}`;
    await ends([laptop, phone], () => here.operator().send('PATCH', path, { body: change }), 200);
  });

  it('by an operator who signs them out', async () => {
    const path = `/admin/users/${customer.userId}/sign-out`;
    await ends([laptop, phone], () => here.operator().post(path), 204);
  });

  it('by another admin at the other gateway', async () => {
    const admin = await customerWith(there, null);
    await there.get(DataSource).getRepository(User).update({ id: admin.userId }, { role: 'admin' });
    const path = `/admin/users/${customer.userId}`;
    await ends([laptop, phone], () => admin.browser.send('PATCH', path, { body: { disabled: true } }), 200);
  });
});
