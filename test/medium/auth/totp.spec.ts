import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { RecoveryCode, User } from '#database';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';
import { confirm, enroll, loginWith, secure, securedCustomer } from '../../support/authenticator.js';
import { eventually } from '../../support/eventually.js';
import { waitingForLocks } from '../../support/waiting-for-locks.js';

const MINUTE = 60_000;

let app: AuthApp;
beforeAll(async () => {
  app = await AuthApp.start({
    limits: { codesPerAccount: 1000 },
    env: { APP_URL: 'https://app.example.com' },
  });
});
afterAll(() => app[Symbol.asyncDispose]());

const post = (path: string, cookie: string, body?: unknown) =>
  app.send('POST', path, { body, headers: { cookie } });
const remove = (cookie: string, body?: unknown) =>
  app.send('DELETE', '/auth/totp', { body, headers: { cookie } });

describe('setting up two factors', () => {
  it('gives a secret to type, to scan and to click, of the host that customers know', async () => {
    const { email, cookie } = await app.register();
    const { status, body, headers } = await post('/auth/totp/enroll', cookie);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauthUrl: expect.any(String),
      qr: expect.stringMatching(/^data:image\/png;base64,/),
    });
    const url = new URL(String(body['otpauthUrl']));
    expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).toEqual([
      'otpauth:',
      'totp',
      `/app.example.com:${email}`,
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      secret: body['secret'],
      issuer: 'app.example.com',
    });
  });

  it('counts for nothing until a code confirms it', async () => {
    const { email, cookie } = await app.register();
    const authenticator = await enroll(app, cookie);
    expect((await app.login(email)).body.user).toMatchObject({ totpEnabled: false });
    expect(await confirm(app, cookie, authenticator.wrongCode())).toMatchObject({
      status: 401,
      body: { code: 'TOTP_INVALID' },
    });
    expect((await app.login(email)).status).toBe(200);
    expect((await confirm(app, cookie, authenticator.code())).status).toBe(200);
    expect((await app.me(cookie)).body.user).toMatchObject({ totpEnabled: true });
    expect((await app.login(email)).status).toBe(401);
  });

  it('gives ten recovery codes, none twice', async () => {
    const { recoveryCodes } = await securedCustomer(app);
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes)
      expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
  });

  it('ends the other sessions, which one factor opened', async () => {
    const { email, cookie } = await app.register();
    const other = (await app.login(email)).cookie;
    await secure(app, email, cookie);
    expect((await app.me(other)).status).toBe(401);
    expect((await app.me(cookie)).status).toBe(200);
  });

  it('may be begun anew, and then only the last secret counts', async () => {
    const { cookie } = await app.register();
    const first = await enroll(app, cookie);
    const second = await enroll(app, cookie);
    expect((await confirm(app, cookie, first.code())).status).toBe(401);
    expect((await confirm(app, cookie, second.code())).status).toBe(200);
  });

  it('is refused where it is done, or was not begun', async () => {
    const { cookie } = await app.register();
    expect(await confirm(app, cookie, '123456')).toMatchObject({
      status: 409,
      body: { code: 'TOTP_NOT_ENROLLED' },
    });
    const authenticator = await enroll(app, cookie);
    await confirm(app, cookie, authenticator.code());
    for (const answer of [
      await post('/auth/totp/enroll', cookie),
      await confirm(app, cookie, authenticator.code(1)),
    ]) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'TOTP_ALREADY_ENABLED' } });
    }
  });

  it('happens once, of ten confirmations at once', async () => {
    const { cookie, body } = await app.register();
    const authenticator = await enroll(app, cookie);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => confirm(app, cookie, authenticator.code())),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 409),
    ]);
    const codes = app.get(DataSource).getRepository(RecoveryCode);
    expect(await codes.countBy({ userId: body.user.id })).toBe(10);
  });

  it('takes more than a session that has been lying about: the password, or another sign-in', async () => {
    const { email, cookie } = await app.register();
    app.clock.advance(9 * MINUTE);
    expect((await post('/auth/totp/enroll', cookie)).status).toBe(200);
    expect((await app.me(cookie)).status).toBe(200); // extends the session, and makes it no younger
    app.clock.advance(MINUTE);
    expect(await post('/auth/totp/enroll', cookie)).toMatchObject({
      status: 403,
      body: { code: 'REAUTHENTICATION_REQUIRED' },
    });
    expect(await post('/auth/totp/enroll', cookie, { password: 'wrong' })).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    });
    expect((await post('/auth/totp/enroll', cookie, { password: PASSWORD })).status).toBe(200);
    expect((await post('/auth/totp/enroll', (await app.login(email)).cookie)).status).toBe(200);
  });
});

describe('turning two factors off', () => {
  it('leaves the password alone, and none of the old codes', async () => {
    const { email, cookie, recoveryCodes } = await securedCustomer(app);
    expect((await remove(cookie)).status).toBe(204);
    expect((await app.login(email)).body.user).toMatchObject({ totpEnabled: false });

    const again = await secure(app, email, cookie);
    expect((await loginWith(app, email, PASSWORD, recoveryCodes[0])).status).toBe(401);
    expect((await loginWith(app, email, PASSWORD, again.recoveryCodes[0])).status).toBe(200);
  });

  it('takes a code where the sign-in is not recent; the password will not do', async () => {
    const { cookie, authenticator } = await securedCustomer(app);
    app.clock.advance(11 * MINUTE);
    expect(await remove(cookie)).toMatchObject({ status: 403, body: { code: 'REAUTHENTICATION_REQUIRED' } });
    expect((await remove(cookie, { password: PASSWORD })).status).toBe(400);
    expect((await remove(cookie, { code: authenticator.wrongCode() })).status).toBe(401);
    expect((await app.me(cookie)).body.user).toMatchObject({ totpEnabled: true });
    expect((await remove(cookie, { code: authenticator.code() })).status).toBe(204);
    expect((await app.me(cookie)).body.user).toMatchObject({ totpEnabled: false });
  });

  it('takes a recovery code as well, for whoever lost the telephone', async () => {
    const { cookie, recoveryCodes } = await securedCustomer(app);
    app.clock.advance(11 * MINUTE);
    expect((await remove(cookie, { code: recoveryCodes[7] })).status).toBe(204);
  });

  it('does not give up an enrolment that is confirmed meanwhile', async () => {
    const { cookie, body } = await app.register();
    const { id } = body.user;
    await enroll(app, cookie);
    const removal = await app.get(DataSource).transaction(async (manager) => {
      await manager.update(User, { id }, { totpConfirmedAt: app.clock.now() });
      const removing = remove(cookie);
      await eventually(async () => expect(await waitingForLocks(app)).toBe(1));
      return { removing };
    });
    expect(await removal.removing).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect((await app.me(cookie)).body.user).toMatchObject({ totpEnabled: true });
  });

  it('takes the factor whose code it was, and not one that took its place', async () => {
    const { email, cookie, recoveryCodes } = await securedCustomer(app);
    const { id } = await app.get(DataSource).getRepository(User).findOneByOrFail({ email });
    const removal = await app.get(DataSource).transaction(async (manager) => {
      await manager.update(User, { id }, { totpSecretSealed: Buffer.from('another one') });
      const removing = remove(cookie, { code: recoveryCodes[0] });
      await eventually(async () => expect(await waitingForLocks(app)).toBe(1));
      return { removing };
    });
    expect(await removal.removing).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect((await app.me(cookie)).body.user).toMatchObject({ totpEnabled: true });
  });

  it('is done where they are off already', async () => {
    const { cookie } = await app.register();
    app.clock.advance(11 * MINUTE);
    expect((await remove(cookie)).status).toBe(204);
  });
});
