import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionStore } from '#auth';
import { Session, User } from '#database';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';

describe('POST /auth/register', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start();
  });
  afterEach(() => {
    app.slices.next = null;
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('makes an account, signs it in and says what slice it got', async () => {
    app.slices.next = { id: 7, name: 'slice-7', status: 'active' };
    const answer = await app.send('POST', '/auth/register', {
      body: { email: ' Ada@Example.COM ', password: PASSWORD, name: 'Ada' },
    });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      user: {
        id: expect.any(String),
        email: 'ada@example.com',
        name: 'Ada',
        role: 'member',
        emailVerified: false,
        totpEnabled: false,
      },
      sliceAssigned: true,
      slice: { id: 7, name: 'slice-7', status: 'active' },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await app.me(answer.cookie)).body.user).toEqual(answer.body.user);
  });

  it('says that a slice which is still being started is not assigned yet', async () => {
    app.slices.next = { id: 8, name: 'slice-8', status: 'provisioning' };
    expect((await app.register()).body).toMatchObject({
      sliceAssigned: false,
      slice: { status: 'provisioning' },
    });
  });

  it('keeps the account when no slice could be had', async () => {
    app.slices.next = new Error('the engine is down');
    const answer = await app.register();
    expect(answer).toMatchObject({ status: 201, body: { sliceAssigned: false, slice: null } });
    expect((await app.login(answer.email)).status).toBe(200);
  });

  it('says that the account is there when the session can not be opened', async () => {
    const sessions = app.get(SessionStore);
    const create = jest.spyOn(sessions, 'create').mockRejectedValueOnce(new Error('the store is away'));
    const answer = await app.register();
    create.mockRestore();
    expect(answer).toMatchObject({ status: 503, body: { code: 'REGISTERED_NOT_SIGNED_IN' }, cookie: '' });
    expect((await app.login(answer.email)).status).toBe(200);
  });

  it('refuses an address that is taken, however it is written', async () => {
    const { email } = await app.register();
    const again = await app.send('POST', '/auth/register', {
      body: { email: ` ${email.toUpperCase()} `, password: PASSWORD },
    });
    expect(again).toMatchObject({ status: 409, body: { code: 'EMAIL_TAKEN', route: 'auth' }, cookie: '' });
  });

  it('gives an address to one of many that ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.register('race@example.com')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201, 409, 409, 409, 409, 409, 409, 409,
    ]);
  });

  it('stores neither the password nor the session id', async () => {
    const { cookie, body } = await app.register();
    const user = await app.get(DataSource).getRepository(User).findOneByOrFail({ id: body.user.id });
    const session = await app.get(DataSource).getRepository(Session).findOneByOrFail({ userId: user.id });
    expect(user.passwordHash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(JSON.stringify([user, session])).not.toContain(cookie.split('=')[1]);
    expect(session.idHash).toHaveLength(32);
  });

  it.each([
    ['a role', { role: 'admin' }, 'role'],
    ['an id', { id: '00000000-0000-4000-8000-000000000000' }, 'id'],
    ['a short password', { password: '1234567' }, 'password'],
    ['a long password', { password: 'x'.repeat(257) }, 'password'],
    ['no password', { password: undefined }, 'password'],
    ['a password that is a number', { password: 12345678 }, 'password'],
    ['no e-mail', { email: undefined }, 'email'],
    ['an operator as the e-mail', { email: { $ne: 1 } }, 'email'],
    ['a list as the e-mail', { email: ['a@example.com'] }, 'email'],
    ['an address that is none', { email: 'nobody' }, 'email'],
    ['a header in the e-mail', { email: 'a@example.com\r\nx-admin: 1' }, 'email'],
    ['SQL in the e-mail', { email: `a@example.com'; DROP TABLE "user"; --` }, 'email'],
    ['a NUL in the e-mail', { email: 'a\0@example.com' }, 'email'],
    ['an endless e-mail', { email: `${'a'.repeat(250)}@example.com` }, 'email'],
    ['a NUL in the name', { name: 'A\0da' }, 'name'],
    ['a line break in the name', { name: 'Ada\r\nx-admin: 1' }, 'name'],
    ['a name that is an object', { name: {} }, 'name'],
  ])('refuses %s and makes no account', async (_what, change, path) => {
    const users = app.get(DataSource).getRepository(User);
    const before = await users.count();
    const email = `${crypto.randomUUID()}@example.com`;
    const answer = await app.send('POST', '/auth/register', {
      body: { email, password: PASSWORD, ...change },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', details: [{ path, message: expect.any(String) }] },
      cookie: '',
    });
    expect(await users.count()).toBe(before);
  });

  it('takes names and passwords in any script', async () => {
    const body = { email: 'ada@beispiel.example', password: 'пароль密码🔑🔑', name: "Ädä O'Brien 🦊" };
    expect(await app.send('POST', '/auth/register', { body })).toMatchObject({
      status: 201,
      body: { user: { name: body.name } },
    });
    expect((await app.login(body.email, body.password)).status).toBe(200);
  });

  it('refuses malformed JSON and other types', async () => {
    const malformed = await app.send('POST', '/auth/register', { body: '{"email":' });
    expect(malformed).toMatchObject({ status: 400, body: { code: 'INVALID_JSON' } });
    for (const body of ['[]', '""', 'null', '5']) {
      expect((await app.send('POST', '/auth/register', { body })).status).toBe(400);
    }
  });
});
