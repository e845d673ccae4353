import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { RecoveryCode, User } from '#database';
import { type Answer, AuthApp, PASSWORD } from '../../support/auth-app.js';
import { confirm, enroll, loginWith, securedCustomer } from '../../support/authenticator.js';
import { linkIn, MailServer } from '../../support/mail-server.js';

const NEW_PASSWORD = 'an entirely new passphrase';
const MINUTE_MS = 60_000;

let mails: MailServer;
let app: AuthApp;

async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  mails = await MailServer.start();
  app = await AuthApp.start({
    env: { SMTP_URL: mails.url, TRUST_PROXY: '127.0.0.1', ...env },
    limits: { loginsPerAccountAndNetwork: 5 },
  });
}

async function stop(): Promise<void> {
  await app[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
}

const change = (cookie: string, body: object): Promise<Answer> =>
  app.send('POST', '/auth/password', { body, headers: { cookie } });
const forgot = (email: string, ip = '203.0.113.1'): Promise<Answer> =>
  app.send('POST', '/auth/password/forgot', { body: { email }, headers: { 'x-forwarded-for': ip } });
const reset = (token: string, password = NEW_PASSWORD): Promise<Answer> =>
  app.send('POST', '/auth/password/reset', { body: { token, password } });

/** Asks for a link and reads its token from the mail; the first mail to a new account is the one of sign-up. */
async function resetToken(email: string, nth = 2): Promise<string> {
  expect((await forgot(email)).status).toBe(202);
  return linkIn(await mails.mailTo(email, nth)).searchParams.get('token') ?? '';
}

const users = () => app.get(DataSource).getRepository(User);

describe('POST /auth/password', () => {
  beforeAll(() => start());
  afterAll(stop);

  it('changes the password and signs out everywhere but here', async () => {
    const here = await app.register();
    const elsewhere = await app.login(here.email);
    const done = await change(here.cookie, { current: PASSWORD, next: NEW_PASSWORD });
    expect(done).toMatchObject({ status: 204, body: null });
    expect((await app.me(here.cookie)).status).toBe(200);
    expect((await app.me(elsewhere.cookie)).status).toBe(401);
    expect((await app.login(here.email)).status).toBe(401);
    expect((await app.login(here.email, NEW_PASSWORD)).status).toBe(200);
    const told = await mails.mailTo(here.email, 2);
    expect(told.headers.get('subject')).toBe('Your password was changed');
  });

  it('wants the present password', async () => {
    const { email, cookie } = await app.register();
    expect(await change(cookie, { current: 'wrong', next: NEW_PASSWORD })).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    });
    expect((await app.login(email)).status).toBe(200);
  });

  it('is throttled as a sign-in is, together with it', async () => {
    const { email, cookie } = await app.register();
    for (let i = 0; i < 3; i++) await change(cookie, { current: 'wrong', next: NEW_PASSWORD });
    for (let i = 0; i < 2; i++) await app.login(email, 'wrong');
    expect((await change(cookie, { current: PASSWORD, next: NEW_PASSWORD })).status).toBe(429);
    expect((await app.login(email)).status).toBe(429);
  });

  it('tells an account without a password how to get one', async () => {
    const { body, cookie } = await app.register();
    await users().update({ id: body.user.id }, { passwordHash: null });
    expect(await change(cookie, { current: '', next: NEW_PASSWORD })).toMatchObject({
      status: 409,
      body: { code: 'PASSWORD_NOT_SET', message: expect.stringContaining('/auth/password/forgot') },
    });
  });

  it('lets one of many changes at once win', async () => {
    const { email, cookie } = await app.register();
    const nexts = ['first passphrase', 'second passphrase', 'third passphrase'];
    const answers = await Promise.all(nexts.map((next) => change(cookie, { current: PASSWORD, next })));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const winner = nexts[answers.findIndex(({ status }) => status === 204)];
    expect((await app.login(email, winner)).status).toBe(200);
    expect((await app.me(cookie)).status).toBe(200);
  });

  it('makes a link void that was mailed before', async () => {
    const { email, cookie } = await app.register();
    const token = await resetToken(email);
    await change(cookie, { current: PASSWORD, next: NEW_PASSWORD });
    expect((await reset(token, 'the password of a thief')).status).toBe(400);
  });

  it.each([
    [{ current: PASSWORD }, 'next'],
    [{ next: NEW_PASSWORD }, 'current'],
    [{ current: PASSWORD, next: 'short' }, 'next'],
    [{ current: PASSWORD, next: 'x'.repeat(257) }, 'next'],
    [{ current: { $ne: 1 }, next: NEW_PASSWORD }, 'current'],
  ])('refuses the body %j', async (body, path) => {
    const { cookie } = await app.register();
    expect(await change(cookie, body)).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', details: [{ path }] },
    });
  });

  it('is for somebody who is signed in', async () => {
    expect((await change('', { current: PASSWORD, next: NEW_PASSWORD })).status).toBe(401);
  });
});

describe('a forgotten password', () => {
  beforeAll(() => start());
  afterAll(stop);

  it('is reset by the mailed link, which ends all sessions', async () => {
    const { email, cookie, body } = await app.register();
    const other = await app.login(email);
    const token = await resetToken(email);
    expect(await reset(token)).toMatchObject({ status: 204, body: null, cookie: '' });
    for (const session of [cookie, other.cookie]) expect((await app.me(session)).status).toBe(401);
    expect((await app.login(email)).status).toBe(401);
    const signedIn = await app.login(email, NEW_PASSWORD);
    expect(signedIn).toMatchObject({
      status: 200,
      body: { user: { id: body.user.id, emailVerified: true } },
    });
    expect((await mails.mailTo(email, 3)).headers.get('subject')).toBe('Your password was changed');
  });

  it('is reset once by a link, however many try at once', async () => {
    const { email } = await app.register();
    const token = await resetToken(email);
    const passwords = Array.from({ length: 10 }, (_, i) => `passphrase number ${i}`);
    const answers = await Promise.all(passwords.map((password) => reset(token, password)));
    const winners = passwords.filter((_password, i) => answers[i]?.status === 204);
    expect(winners).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body?.['code']))).toEqual(new Set([undefined, 'LINK_INVALID']));
    expect((await app.login(email, winners[0])).status).toBe(200);
  });

  it('is not reset by a link older than half an hour', async () => {
    const { email } = await app.register();
    const token = await resetToken(email);
    app.clock.advance(30 * MINUTE_MS);
    expect(await reset(token)).toMatchObject({ status: 400, body: { code: 'LINK_INVALID' } });
    const inTime = await resetToken(email, 3);
    app.clock.advance(30 * MINUTE_MS - 1);
    expect((await reset(inTime)).status).toBe(204);
  });

  it('is reset by the latest link only', async () => {
    const { email } = await app.register();
    const first = await resetToken(email);
    const second = await resetToken(email, 3);
    expect((await reset(first)).status).toBe(400);
    expect((await reset(second)).status).toBe(204);
  });

  it('is not reset by a link that verifies an address, nor the other way round', async () => {
    const { email } = await app.register();
    const toVerify = linkIn(await mails.mailTo(email)).searchParams.get('token') ?? '';
    const toReset = await resetToken(email);
    expect((await reset(toVerify)).status).toBe(400);
    expect((await app.send('POST', '/auth/verify', { body: { token: toReset } })).status).toBe(400);
  });

  it('keeps its link when the new password is refused', async () => {
    const { email } = await app.register();
    const token = await resetToken(email);
    expect(await reset(token, 'short')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect((await reset(token)).status).toBe(204);
  });

  it('is reset as well for an account that never had one', async () => {
    const { email, body } = await app.register();
    await users().update({ id: body.user.id }, { passwordHash: null });
    expect((await reset(await resetToken(email))).status).toBe(204);
    expect((await app.login(email, NEW_PASSWORD)).status).toBe(200);
  });

  it('leaves nobody in who set two factors up before the owner of the address came', async () => {
    const { email } = await securedCustomer(app);
    expect((await reset(await resetToken(email))).status).toBe(204);
    const { status, body } = await app.login(email, NEW_PASSWORD);
    expect({ status, body }).toMatchObject({ status: 200, body: { user: { totpEnabled: false } } });
    const codes = app.get(DataSource).getRepository(RecoveryCode);
    expect(await codes.countBy({ userId: body.user.id })).toBe(0);
  });

  it('leaves an admin’s two factors on in any case', async () => {
    const { email } = await securedCustomer(app);
    await users().update({ email }, { role: 'admin' });
    expect((await reset(await resetToken(email))).status).toBe(204);
    expect(await app.login(email, NEW_PASSWORD)).toMatchObject({ body: { code: 'TOTP_REQUIRED' } });
  });

  it('leaves an enrolment that nobody confirmed to nobody, either', async () => {
    const { email, cookie, body } = await app.register();
    await enroll(app, cookie);
    expect((await reset(await resetToken(email))).status).toBe(204);
    expect((await users().findOneByOrFail({ id: body.user.id })).totpSecretSealed).toBeNull();
  });

  it('leaves the two factors of an account on whose address was verified before', async () => {
    const { email, cookie, body } = await app.register();
    const token = linkIn(await mails.mailTo(email)).searchParams.get('token');
    expect((await app.send('POST', '/auth/verify', { body: { token } })).status).toBe(200);
    const authenticator = await enroll(app, cookie);
    const confirmed = await confirm(app, cookie, authenticator.code());
    expect((await reset(await resetToken(email))).status).toBe(204);
    expect(await app.login(email, NEW_PASSWORD)).toMatchObject({ body: { code: 'TOTP_REQUIRED' } });
    const [recoveryCode] = confirmed.body['recoveryCodes'] ?? [];
    expect(await loginWith(app, email, NEW_PASSWORD, recoveryCode)).toMatchObject({
      status: 200,
      body: { user: { id: body.user.id, totpEnabled: true } },
    });
  });

  it('is not reset for a disabled account', async () => {
    const { email, body } = await app.register();
    const token = await resetToken(email);
    await users().update({ id: body.user.id }, { disabledAt: new Date() });
    expect((await reset(token)).status).toBe(400);
  });

  it('does not bury a mailbox, and says nothing of it', async () => {
    const { email } = await app.register();
    for (let i = 0; i < 8; i++) expect((await forgot(email)).status).toBe(202);
    // One of sign-up and five of these; what is asked for after them is sent after them.
    await mails.mailTo(email, 6);
    await resetToken((await app.register()).email);
    expect(mails.received.filter(({ to }) => to.includes(email))).toHaveLength(6);
  });

  it('is mailed about to the owner, however often a stranger has asked', async () => {
    const { email } = await app.register();
    for (let i = 0; i < 8; i++) await forgot(email, '192.0.2.66');
    await mails.mailTo(email, 6);
    expect((await forgot(email, '198.51.100.7')).status).toBe(202);
    const token = linkIn(await mails.mailTo(email, 7)).searchParams.get('token') ?? '';
    expect((await reset(token)).status).toBe(204);
  });

  it('is reset on the page of the link', async () => {
    const { email } = await app.register();
    const token = await resetToken(email);
    const page = await fetch(`${app.url}/auth/password/reset?token=${token}`);
    const text = await page.text();
    expect(text).toContain(`name="token" value="${token}"`);
    expect(text).toContain('autocomplete="new-password"');
    const send = (password: string): Promise<Response> =>
      fetch(`${app.url}/auth/password/reset/page`, {
        method: 'POST',
        body: new URLSearchParams({ token, password }),
      });
    const refused = await send('short');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('<p>The password must be 8 characters at the least.</p>');
    expect(await (await send(NEW_PASSWORD)).text()).toContain('Your password is changed');
    expect((await app.login(email, NEW_PASSWORD)).status).toBe(200);
  });
});

describe('with REQUIRE_VERIFIED_EMAIL', () => {
  beforeAll(() => start({ REQUIRE_VERIFIED_EMAIL: 'true' }));
  afterAll(stop);

  it('a reset brings the slice that waited for the address, since its link was mailed there', async () => {
    app.slices.next = { id: 9, name: 'slice-9', status: 'active' };
    const { email, body } = await app.register();
    expect(body).toMatchObject({ slice: null });
    expect((await reset(await resetToken(email))).status).toBe(204);
    expect((await app.login(email, NEW_PASSWORD)).body).toMatchObject({ slice: { id: 9 } });
  });
});
