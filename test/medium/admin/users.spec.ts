import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SessionStore } from '#auth';
import { RecoveryCode, User } from '#database';
import type { Browser, OperatorClient } from '../../support/clients.js';
import { ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';

let gateway: Gateway;
let operator: OperatorClient;
let customer: Customer;

beforeAll(async () => {
  gateway = await Gateway.start(ASSIGNED_SLICES);
  operator = gateway.operator();
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  customer = await customerWith(gateway, null);
});

const users = () => gateway.get(DataSource).getRepository(User);
const codes = () => gateway.get(DataSource).getRepository(RecoveryCode);
const patch = (id: string, change: unknown, as = operator as OperatorClient | Browser) =>
  as.send('PATCH', `/admin/users/${id}`, { body: change });

const removeTotp = (id: string, as = operator as OperatorClient | Browser) =>
  as.send('DELETE', `/admin/users/${id}/totp`);

const signOut = (id: string) => operator.post(`/admin/users/${id}/sign-out`);

/** As if the customer had followed the mailed link. */
const verified = ({ userId }: Customer) => users().update({ id: userId }, { emailVerifiedAt: new Date() });

/** Signed in as an admin. */
async function admin(): Promise<Customer> {
  const made = await customerWith(gateway, null);
  await users().update({ id: made.userId }, { role: 'admin' });
  return made;
}

/** The admins there are from now on. */
async function onlyAdmins(...admins: readonly Customer[]): Promise<void> {
  await users().update({ role: 'admin' }, { role: 'member' });
  for (const { userId } of admins) await users().update({ id: userId }, { role: 'admin' });
}

describe('GET /admin/users', () => {
  it('shows an account with its slice, and nothing that is secret', async () => {
    const { email, userId } = await customerWith(gateway, { port: 4711 });
    const { status, body } = await operator.get(`/admin/users?search=${email.toUpperCase()}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      users: [
        {
          id: userId,
          email,
          name: null,
          role: 'member',
          emailVerified: false,
          totpEnabled: false,
          disabled: false,
          createdAt: expect.any(String),
          slice: expect.objectContaining({ owner: userId, status: 'active', port: 4711 }),
          subscription: null,
        },
      ],
      total: 1,
      page: 1,
      pageSize: 50,
    });
  });

  it('pages through all of them, each once', async () => {
    for (let i = 0; i < 4; i++) await customerWith(gateway, null);
    const all = await operator.get('/admin/users?pageSize=200');
    const seen: string[] = [];
    for (let page = 1; seen.length < all.body.total; page++) {
      const { body } = await operator.get(`/admin/users?page=${page}&pageSize=3`);
      expect(body.users.length).toBeGreaterThan(0);
      seen.push(...body.users.map(({ id }: { id: string }) => id));
    }
    expect(seen).toEqual(all.body.users.map(({ id }: { id: string }) => id));
    expect(new Set(seen).size).toBe(all.body.total);
  });

  it.each(['%25', '_', '%5C', '%5C%25', "'%20OR%201=1--"])(
    'takes %s in a search for what it is',
    async (search) => {
      expect(await operator.get(`/admin/users?search=${search}`)).toMatchObject({
        status: 200,
        body: { users: [], total: 0 },
      });
    },
  );

  it.each([
    'page=0',
    'page=-1',
    'page=x',
    'page=1e9',
    'pageSize=201',
    'search=%00',
    'other=1',
    'page=1&page=2',
  ])('refuses ?%s', async (query) => {
    expect(await operator.get(`/admin/users?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    });
  });

  it('is open to an admin’s session, and to no member’s', async () => {
    expect((await (await admin()).browser.get('/admin/users')).status).toBe(200);
    expect(await customer.browser.get('/admin/users')).toMatchObject({ status: 403 });
  });
});

describe('PATCH /admin/users/:id', () => {
  it('disables an account, which is signed out and can’t sign in', async () => {
    const { body, status } = await patch(customer.userId, { disabled: true });
    expect({ body, status }).toMatchObject({ status: 200, body: { id: customer.userId, disabled: true } });
    expect((await customer.browser.get('/auth/me')).status).toBe(401);
    expect((await gateway.browser().login(customer.email, PASSWORD)).body.code).toBe('ACCOUNT_DISABLED');
    expect((await patch(customer.userId, { disabled: false })).body.disabled).toBe(false);
    expect((await customer.browser.get('/auth/me')).status).toBe(401);
    expect((await gateway.browser().login(customer.email, PASSWORD)).status).toBe(200);
  });

  it('changes the role, which ends every session and token from before', async () => {
    await verified(customer);
    const before = await users().findOneByOrFail({ id: customer.userId });
    expect((await patch(customer.userId, { role: 'admin' })).body.role).toBe('admin');
    expect((await customer.browser.get('/auth/me')).status).toBe(401);
    const after = await users().findOneByOrFail({ id: customer.userId });
    expect(after.tokenGeneration).toBe(before.tokenGeneration + 1);
    await customer.browser.login(customer.email, PASSWORD);
    expect((await customer.browser.get('/admin/users')).status).toBe(200);
  });

  it('ends nothing when it changes nothing', async () => {
    expect((await patch(customer.userId, { role: 'member', disabled: false })).status).toBe(200);
    expect((await customer.browser.get('/auth/me')).status).toBe(200);
  });

  it('makes no admin of an account that anybody may have registered', async () => {
    expect(await patch(customer.userId, { role: 'admin' })).toMatchObject({
      status: 409,
      body: { code: 'EMAIL_UNVERIFIED', route: 'admin' },
    });
    expect((await customer.browser.get('/auth/me')).body.user.role).toBe('member');
    expect((await patch(customer.userId, { disabled: true })).status).toBe(200);
  });

  it('changes nothing when the sessions can’t be ended', async () => {
    await verified(customer);
    jest.spyOn(gateway.get(SessionStore), 'revokeAll').mockRejectedValueOnce(new Error('the store is away'));
    expect((await patch(customer.userId, { role: 'admin' })).status).toBe(500);
    expect(await users().findOneByOrFail({ id: customer.userId })).toMatchObject({ role: 'member' });
    expect((await customer.browser.get('/auth/me')).status).toBe(200);
  });

  it.each([{ role: 'member' }, { disabled: true }])(
    'does not take the last admin away by %j',
    async (change) => {
      const last = await admin();
      await onlyAdmins(last);
      expect(await patch(last.userId, change)).toMatchObject({
        status: 409,
        body: { code: 'LAST_ADMIN', route: 'admin' },
      });
      expect((await last.browser.get('/auth/me')).body.user.role).toBe('admin');
      const disabled = await admin();
      await users().update({ id: disabled.userId }, { disabledAt: new Date() });
      expect((await patch(last.userId, change)).status).toBe(409);
      const other = await admin();
      await onlyAdmins(last, other);
      expect((await patch(last.userId, change)).status).toBe(200);
    },
  );

  it('leaves one of two admins who demote each other at the same time', async () => {
    const [one, two] = [await admin(), await admin()];
    for (let i = 0; i < 5; i++) {
      await onlyAdmins(one, two);
      await Promise.all([one, two].map(({ browser, email }) => browser.login(email, PASSWORD)));
      const answers = await Promise.all([
        patch(two.userId, { role: 'member' }, one.browser),
        patch(one.userId, { disabled: true }, two.browser),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(await users().countBy({ role: 'admin' })).toBeGreaterThanOrEqual(1);
      await users().update({ id: one.userId }, { disabledAt: null });
    }
  });

  it.each([{ role: 'member' }, { disabled: true }])(
    'does not let an admin lock themselves out by %j',
    async (change) => {
      const [one, two] = [await admin(), await admin()];
      await onlyAdmins(one, two);
      expect(await patch(one.userId, change, one.browser)).toMatchObject({
        status: 409,
        body: { code: 'OWN_ACCOUNT' },
      });
      expect((await one.browser.get('/auth/me')).body.user.role).toBe('admin');
      expect((await patch(one.userId, change, two.browser)).status).toBe(200);
    },
  );

  it('knows no user that is not there', async () => {
    expect(await patch(randomUUID(), { disabled: true })).toMatchObject({
      status: 404,
      body: { code: 'USER_NOT_FOUND' },
    });
  });

  it.each([
    {},
    { role: 'root' },
    { disabled: 'yes' },
    { role: 'admin', email: 'x@example.com' },
    { role: { $ne: 1 } },
    [],
    'x',
  ])('refuses %j', async (change) => {
    expect((await patch(customer.userId, change)).status).toBe(400);
    expect(await users().findOneByOrFail({ id: customer.userId })).toMatchObject({
      role: 'member',
      disabledAt: null,
    });
  });

  it.each(['x', '1', "';--", 'A'.repeat(36)])('refuses the id %s', async (id) => {
    expect((await patch(encodeURIComponent(id), { disabled: true })).status).toBe(400);
  });

  it('is for admins only', async () => {
    expect((await patch(customer.userId, { role: 'admin' }, customer.browser)).status).toBe(403);
    expect((await patch(customer.userId, { role: 'admin' }, gateway.browser())).status).toBe(401);
  });
});

describe('POST /admin/users/:id/sign-out', () => {
  it('ends all sessions and tokens of that account, and of no other', async () => {
    const other = await customerWith(gateway, null);
    const phone = gateway.browser();
    await phone.login(customer.email, PASSWORD);
    expect(await signOut(customer.userId)).toMatchObject({ status: 204, body: null });
    for (const browser of [customer.browser, phone]) {
      expect((await browser.get('/auth/me')).status).toBe(401);
    }
    expect((await other.browser.get('/auth/me')).status).toBe(200);
    expect((await users().findOneByOrFail({ id: customer.userId })).tokenGeneration).toBe(1);
    expect((await phone.login(customer.email, PASSWORD)).status).toBe(200);
  });

  it('knows no user that is not there', async () => {
    expect(await signOut(randomUUID())).toMatchObject({ status: 404, body: { code: 'USER_NOT_FOUND' } });
  });
});

/** As if the account had an authenticator that is lost. */
async function secured(): Promise<Customer> {
  const made = await customerWith(gateway, null);
  const totp = { totpSecretSealed: Buffer.from('sealed'), totpConfirmedAt: new Date(), totpLastStep: 1 };
  await users().update({ id: made.userId }, totp);
  await codes().insert({ userId: made.userId, codeHash: Buffer.from('hash') });
  return made;
}

describe('DELETE /admin/users/:id/totp', () => {
  it('lets in by the password alone who has lost the authenticator, signed out everywhere', async () => {
    const { userId, email, browser } = await secured();
    expect((await gateway.browser().login(email, PASSWORD)).body.code).toBe('TOTP_REQUIRED');
    expect(await removeTotp(userId)).toMatchObject({ status: 204, body: null });
    expect((await browser.get('/auth/me')).status).toBe(401);
    expect(await browser.login(email, PASSWORD)).toMatchObject({
      status: 200,
      body: { user: { totpEnabled: false } },
    });
    expect(await codes().countBy({ userId })).toBe(0);
  });

  it('is logged for what it did: who had no second factor has none turned off', async () => {
    const { userId } = await secured();
    const log = jest.spyOn(Logger.prototype, 'log');
    await removeTotp(userId);
    await removeTotp(userId);
    const lines = log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes(userId));
    log.mockRestore();
    expect(lines).toEqual([
      `the two factors of user ${userId} were turned off by the admin key`,
      `user ${userId} was signed out everywhere by the admin key`,
    ]);
  });

  it('leaves the second factor of everybody else alone', async () => {
    const [one, other] = [await secured(), await secured()];
    await removeTotp(one.userId);
    expect(await users().findOneByOrFail({ id: other.userId })).toMatchObject({ totpLastStep: 1 });
    expect(await codes().countBy({ userId: other.userId })).toBe(1);
  });

  it('is no way for an admin’s stolen session around the code', async () => {
    const thief = await secured();
    const other = await admin();
    await users().update({ id: thief.userId }, { role: 'admin' });
    expect(await removeTotp(thief.userId, thief.browser)).toMatchObject({
      status: 409,
      body: { code: 'OWN_ACCOUNT' },
    });
    expect((await users().findOneByOrFail({ id: thief.userId })).totpConfirmedAt).not.toBeNull();
    expect((await removeTotp(thief.userId, other.browser)).status).toBe(204);
  });

  it('knows no user that is not there, and is for admins only', async () => {
    expect(await removeTotp(randomUUID())).toMatchObject({ status: 404, body: { code: 'USER_NOT_FOUND' } });
    expect((await removeTotp(customer.userId, customer.browser)).status).toBe(403);
  });
});

const sessionsOf = (id: string) => operator.get(`/admin/users/${id}/sessions`);

describe('the sessions of an account', () => {
  it('are shown, and end one by one', async () => {
    const { email, userId, browser } = customer;
    const other = gateway.browser();
    await other.login(email, PASSWORD);
    const { status, body } = await sessionsOf(userId);
    expect(status).toBe(200);
    expect(body).toHaveLength(2);
    expect(body[0]).toEqual({
      id: expect.any(String),
      kind: 'password',
      ip: '127.0.0.1',
      userAgent: expect.any(String),
      createdAt: expect.any(String),
      lastSeenAt: expect.any(String),
      expiresAt: expect.any(String),
    });
    const { body: own } = await other.get('/auth/sessions');
    const current = own.find((session: { current: boolean }) => session.current);
    const ended = await operator.send('DELETE', `/admin/users/${userId}/sessions/${current.id}`);
    expect(ended.status).toBe(204);
    expect((await other.get('/auth/me')).status).toBe(401);
    expect((await browser.get('/auth/me')).status).toBe(200);
    expect((await sessionsOf(userId)).body).toHaveLength(1);
  });

  it('are of that account alone', async () => {
    const stranger = await customerWith(gateway, null);
    const { body } = await sessionsOf(stranger.userId);
    const path = `/admin/users/${customer.userId}/sessions/${body[0].id}`;
    const { status, body: answer } = await operator.send('DELETE', path);
    expect([status, answer.code]).toEqual([404, 'SESSION_NOT_FOUND']);
    expect((await stranger.browser.get('/auth/me')).status).toBe(200);
  });

  it('are none of an account that is not there', async () => {
    const nobody = await sessionsOf(randomUUID());
    expect([nobody.status, nobody.body.code]).toEqual([404, 'USER_NOT_FOUND']);
    expect((await sessionsOf('me')).status).toBe(400);
    const odd = await operator.send('DELETE', `/admin/users/${customer.userId}/sessions/x`);
    expect(odd.status).toBe(400);
  });
});
