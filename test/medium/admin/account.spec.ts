import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { AuditEntry, Session, Slice, User } from '#database';
import { DepartedCustomers } from '../../../libs/orchestrator/src/slices/departed-customers.js';
import type { Browser } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { TINY_SLICES } from '../../support/tiny-slices.js';

const DAY_MS = 86_400_000;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start({ env: TINY_SLICES });
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const repository = <T extends object>(entity: new () => T) => gateway.get(DataSource).getRepository(entity);
const erase = (browser: Browser, body?: unknown) => browser.send('DELETE', '/account', { body });

interface Customer {
  readonly browser: Browser;
  readonly email: string;
  readonly userId: string;
  readonly sliceId: number;
}

async function customer(): Promise<Customer> {
  const browser = gateway.browser();
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await browser.register(email, PASSWORD, 'Ada');
  const sliceId = body.slice.id;
  await eventually(
    async () => expect((await browser.get('/auth/me')).body.slice.status).toBe('active'),
    10_000,
  );
  return { browser, email, userId: body.user.id, sliceId };
}

/** As if the account had been opened and used an hour ago. */
const longAgo = ({ userId }: Customer) =>
  repository(Session).update({ userId }, { createdAt: new Date(Date.now() - 3_600_000) });

describe('GET /account/export', () => {
  it('is all that is kept of a customer, as a file, and nothing of anybody else', async () => {
    const ada = await customer();
    await customer();
    const operator = gateway.operator();
    await operator.post(`/admin/users/${ada.userId}/sign-out`);
    await ada.browser.login(ada.email, PASSWORD);
    const { status, headers, body } = await ada.browser.get('/account/export');
    expect([status, headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="account.json"',
    ]);
    expect(body).toMatchObject({
      user: { id: ada.userId, email: ada.email, name: 'Ada', role: 'member' },
      identities: [],
      sessions: [{ kind: 'password', ip: '127.0.0.1' }],
      slice: { id: ada.sliceId, status: 'active' },
      billing: null,
      audit: [{ action: 'user.sign_out', ip: null }],
    });
    expect(JSON.stringify(body)).not.toMatch(/argon2|sealed|hash/i);
  }, 20_000);

  it('is for whoever is signed in', async () => {
    expect((await gateway.browser().get('/account/export')).status).toBe(401);
    expect((await gateway.operator().get('/account/export')).status).toBe(401);
  });
});

describe('DELETE /account', () => {
  it('ends all access at once, forgets who it was, and stops the slice', async () => {
    const ada = await customer();
    const elsewhere = gateway.browser();
    await elsewhere.login(ada.email, PASSWORD);
    const { status } = await erase(ada.browser);
    expect(status).toBe(204);
    expect(ada.browser.cookie).toBe('');
    expect((await elsewhere.get('/auth/me')).status).toBe(401);
    expect((await gateway.browser().login(ada.email, PASSWORD)).body.code).toBe('INVALID_CREDENTIALS');
    const left = await repository(User).findOneByOrFail({ id: ada.userId });
    expect(left).toMatchObject({
      name: null,
      passwordHash: null,
      totpSecretSealed: null,
      deletedAt: expect.any(Date),
    });
    expect(JSON.stringify(left)).not.toContain(ada.email);
    const entry = await repository(AuditEntry).findOneByOrFail({
      targetId: ada.userId,
      action: 'account.delete',
    });
    expect(entry).toMatchObject({ actorId: ada.userId });
    await eventually(async () =>
      expect((await gateway.operator().get(`/orchestrator/slices/${ada.sliceId}`)).body.status).toBe(
        'stopped',
      ),
    );
    expect((await gateway.operator().get(`/admin/users?search=${ada.userId}`)).body.total).toBe(0);
    const revived = await gateway
      .operator()
      .send('PATCH', `/admin/users/${ada.userId}`, { body: { disabled: false } });
    expect(revived.body.code).toBe('USER_NOT_FOUND');
    for (const [method, path] of [
      ['POST', 'sign-out'],
      ['DELETE', 'totp'],
      ['GET', 'sessions'],
    ] as const) {
      const { status: none, body } = await gateway
        .operator()
        .send(method, `/admin/users/${ada.userId}/${path}`);
      expect([path, none, body?.code]).toEqual([path, 404, 'USER_NOT_FOUND']);
    }
    // The address is free: a new account is a new customer.
    const again = await gateway.browser().register(ada.email, PASSWORD);
    expect(again.body.user.id).not.toBe(ada.userId);
    expect(again.body.slice.id).not.toBe(ada.sliceId);
  }, 20_000);

  it('wants the password of whoever has been signed in for a while', async () => {
    const ada = await customer();
    await longAgo(ada);
    expect((await erase(ada.browser)).body.code).toBe('REAUTHENTICATION_REQUIRED');
    expect((await erase(ada.browser, { password: 'another' })).body.code).toBe('INVALID_CREDENTIALS');
    expect((await ada.browser.get('/auth/me')).status).toBe(200);
    expect((await erase(ada.browser, { password: PASSWORD })).status).toBe(204);
  }, 20_000);

  it('is not for an admin, nor for a page of somebody else', async () => {
    const ada = await customer();
    const forged = await ada.browser.send('DELETE', '/account', {
      headers: { origin: 'https://evil.example' },
    });
    expect(forged.body.code).toBe('CSRF_REJECTED');
    await repository(User).update({ id: ada.userId }, { role: 'admin' });
    const { status, body } = await erase(ada.browser);
    expect([status, body.code]).toEqual([409, 'ADMIN_ACCOUNT']);
    expect((await ada.browser.get('/auth/me')).status).toBe(200);
  }, 20_000);

  it('ends the slice with its data, and then the account, once its time is over', async () => {
    const ada = await customer();
    const bob = await customer();
    await erase(ada.browser);
    await erase(bob.browser);
    await repository(User).update({ id: ada.userId }, { deletedAt: new Date(Date.now() - 31 * DAY_MS) });
    await repository(User).update({ id: bob.userId }, { deletedAt: new Date(Date.now() - 29 * DAY_MS) });
    const departed = gateway.get(DepartedCustomers);
    await eventually(async () => {
      Object.assign(departed, { lookedAt: 0 });
      await departed.clear();
      expect(await repository(User).existsBy({ id: ada.userId })).toBe(false);
    }, 15_000);
    expect(await repository(Slice).findOneByOrFail({ id: ada.sliceId })).toMatchObject({
      status: 'destroyed',
      ownerId: null,
    });
    expect(await repository(Slice).findOneByOrFail({ id: bob.sliceId })).toMatchObject({
      desiredState: 'stopped',
      ownerId: bob.userId,
      destroyedAt: null,
    });
  }, 40_000);
});
