import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { hash as bcrypt } from 'bcrypt';
import { DataSource } from 'typeorm';
import { User } from '#database';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';

describe('POST /auth/login', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('signs in, and says what slice the customer has', async () => {
    app.slices.next = { id: 7, name: 'slice-7', status: 'stopped' };
    const { email, body } = await app.register();
    const answer = await app.login(` ${email.toUpperCase()}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { user: body.user, slice: { id: 7, status: 'stopped' } },
    });
    expect((await app.me(answer.cookie)).status).toBe(200);
  });

  it('refuses a wrong password', async () => {
    const { email } = await app.register();
    expect(await app.login(email, `${PASSWORD}!`)).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
      cookie: '',
    });
  });

  it('refuses everything for an account without a password', async () => {
    const { email, body } = await app.register();
    await app.get(DataSource).getRepository(User).update({ id: body.user.id }, { passwordHash: null });
    for (const password of [PASSWORD, '', 'null', 'nobody'.repeat(40)]) {
      expect((await app.login(email, password)).status).toBe(401);
    }
  });

  it('tells only who knows the password that the account is disabled', async () => {
    const { email, body, cookie } = await app.register();
    await app.get(DataSource).getRepository(User).update({ id: body.user.id }, { disabledAt: new Date() });
    expect(await app.login(email)).toMatchObject({
      status: 403,
      body: { code: 'ACCOUNT_DISABLED' },
      cookie: '',
    });
    expect(await app.login(email, 'wrong')).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    });
    expect((await app.me(cookie)).status).toBe(401);
  });

  it('renews a hash that was made with other parameters', async () => {
    const { email, body } = await app.register();
    const users = app.get(DataSource).getRepository(User);
    const weak = await hash(PASSWORD, { memoryCost: 1024, timeCost: 1 });
    await users.update({ id: body.user.id }, { passwordHash: weak });

    expect((await app.login(email, 'wrong')).status).toBe(401);
    expect((await users.findOneByOrFail({ email })).passwordHash).toBe(weak);
    expect((await app.login(email)).status).toBe(200);
    expect((await users.findOneByOrFail({ email })).passwordHash).toMatch(/m=64,t=1,p=1/);
    expect((await app.login(email)).status).toBe(200);
  });

  it.each([
    ['bcrypt', () => bcrypt(PASSWORD, 4)],
    [
      'the salted SHA-256 of S3',
      async () =>
        `$s3-sha256$c2FsdA$${createHash('sha256').update(`salt${PASSWORD}`).digest('base64').slice(0, 43)}`,
    ],
  ])('takes a hash by %s, and makes one of its own of it', async (_kind, foreign) => {
    const { email, body } = await app.register();
    const users = app.get(DataSource).getRepository(User);
    const stored = await foreign();
    await users.update({ id: body.user.id }, { passwordHash: stored });
    expect((await app.login(email, 'wrong')).status).toBe(401);
    expect((await users.findOneByOrFail({ email })).passwordHash).toBe(stored);
    for (let i = 0; i < 2; i++) expect((await app.login(email)).status).toBe(200);
    expect((await users.findOneByOrFail({ email })).passwordHash).toMatch(
      /^\$argon2id\$v=19\$m=64,t=1,p=1\$/,
    );
  });

  it('refuses everything for an account whose hash is of an unknown kind', async () => {
    const { email, body } = await app.register();
    const users = app.get(DataSource).getRepository(User);
    for (const passwordHash of ['', PASSWORD, '$1$salt$qJH7.N4xYta3aEG/dfqo/0']) {
      await users.update({ id: body.user.id }, { passwordHash });
      expect((await app.login(email)).status).toBe(401);
    }
  });

  it.each([
    [{ email: { $ne: 1 }, password: PASSWORD }],
    [{ email: 'a@example.com', password: { $ne: 1 } }],
    [{ email: 'a@example.com', password: 'x'.repeat(257) }],
    [{ email: 'a@example.com', password: PASSWORD, role: 'admin' }],
    [{ email: 'a@example.com' }],
    [{}],
  ])('refuses the body %j', async (body) => {
    expect(await app.send('POST', '/auth/login', { body })).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    });
  });

  it('takes a urlencoded form as well', async () => {
    const { email } = await app.register();
    const answer = await app.send('POST', '/auth/login', {
      body: new URLSearchParams({ email, password: PASSWORD }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(200);
  });
});
