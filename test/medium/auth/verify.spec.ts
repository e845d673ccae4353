import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { OneTimeToken, User } from '#database';
import { WaitingCustomers } from '../../../libs/orchestrator/src/slices/waiting-customers.js';
import { AuthApp } from '../../support/auth-app.js';
import { linkIn, MailServer } from '../../support/mail-server.js';

const DAY_MS = 24 * 3_600_000;

let mails: MailServer;
let app: AuthApp;

async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  mails = await MailServer.start();
  app = await AuthApp.start({ env: { SMTP_URL: mails.url, ...env } });
}

async function stop(): Promise<void> {
  await app[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
}

/** The token of the n-th mail to somebody. */
async function tokenFor(email: string, nth = 1): Promise<string> {
  return linkIn(await mails.mailTo(email, nth)).searchParams.get('token') ?? '';
}

const verify = (token: string) => app.send('POST', '/auth/verify', { body: { token } });
const sendAgain = (cookie: string) => app.send('POST', '/auth/verify/send', { headers: { cookie } });

const get = (path: string) => fetch(`${app.url}${path}`, { redirect: 'manual' });

describe('an e-mail address', () => {
  beforeAll(() => start());
  afterAll(stop);

  it('is verified by the link that is mailed at sign-up', async () => {
    const { email, cookie, body } = await app.register();
    const link = linkIn(await mails.mailTo(email));
    expect(`${link.origin}${link.pathname}`).toBe(`${app.url.replace('[::1]', '127.0.0.1')}/auth/verify`);
    expect(await verify(link.searchParams.get('token') ?? '')).toMatchObject({
      status: 200,
      body: { user: { id: body.user.id, email, emailVerified: true }, sliceAssigned: false, slice: null },
    });
    expect((await app.me(cookie)).body.user).toMatchObject({ emailVerified: true });
  });

  it('is asked for only of whoever signed up: anybody can register somebody else’s', async () => {
    const { email } = await app.register();
    expect((await mails.mailTo(email)).text).toContain('If you did not sign up, ignore this mail');
  });

  it('is verified once by a link, however many try at once', async () => {
    const { email } = await app.register();
    const token = await tokenFor(email);
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['code'] === 'LINK_INVALID')).toHaveLength(19);
    expect(await verify(token)).toMatchObject({ status: 400, body: { code: 'LINK_INVALID' } });
  });

  it('is not verified by a link older than a day', async () => {
    const { email } = await app.register();
    const token = await tokenFor(email);
    app.clock.advance(DAY_MS);
    expect((await verify(token)).status).toBe(400);
    const { email: other } = await app.register();
    app.clock.advance(DAY_MS - 1);
    expect((await verify(await tokenFor(other))).status).toBe(200);
  });

  it('is verified by the latest link only', async () => {
    const { email, cookie } = await app.register();
    const first = await tokenFor(email);
    expect((await sendAgain(cookie)).status).toBe(202);
    const second = await tokenFor(email, 2);
    expect((await verify(first)).status).toBe(400);
    expect((await verify(second)).status).toBe(200);
  });

  it('is not mailed to again once it is verified', async () => {
    const { email, cookie } = await app.register();
    await verify(await tokenFor(email));
    expect((await sendAgain(cookie)).status).toBe(202);
    // Whatever came first would have been sent first.
    await mails.mailTo((await app.register()).email);
    expect(mails.received.filter(({ to }) => to.includes(email))).toHaveLength(1);
  });

  it('is not buried under mails', async () => {
    const { cookie } = await app.register();
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await sendAgain(cookie)).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 429]);
  });

  it('is not verified by a link that was mailed to another one', async () => {
    const { email, body } = await app.register();
    const users = app.get(DataSource).getRepository(User);
    await users.update({ id: body.user.id }, { email: `new-${email}` });
    expect((await verify(await tokenFor(email))).status).toBe(400);
    expect((await users.findOneByOrFail({ id: body.user.id })).emailVerifiedAt).toBeNull();
  });

  it('is not verified for a disabled account', async () => {
    const { email, body } = await app.register();
    await app.get(DataSource).getRepository(User).update({ id: body.user.id }, { disabledAt: new Date() });
    expect((await verify(await tokenFor(email))).status).toBe(400);
  });

  it.each(['', 'x', 'A'.repeat(43), "' OR 1=1 --", '\0'])(
    'is not verified by the token %j',
    async (token) => {
      expect(await verify(token)).toMatchObject({ status: 400, body: { code: 'LINK_INVALID' } });
    },
  );

  it.each([
    [{}],
    [{ token: 1 }],
    [{ token: ['a'] }],
    [{ token: 'a', email: 'x' }],
    [{ token: 'a'.repeat(513) }],
  ])('refuses the body %j', async (body) => {
    expect(await app.send('POST', '/auth/verify', { body })).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    });
  });

  it('has its token stored as a hash alone', async () => {
    const { email, body } = await app.register();
    const token = await tokenFor(email);
    const row = await app
      .get(DataSource)
      .getRepository(OneTimeToken)
      .findOneByOrFail({ userId: body.user.id });
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(row.tokenHash).toHaveLength(32);
    expect(JSON.stringify(row) + row.tokenHash.toString('base64url')).not.toContain(token);
  });

  it('is asked to be verified by somebody who is signed in', async () => {
    expect((await app.send('POST', '/auth/verify/send')).status).toBe(401);
  });
});

describe('the page of the mailed link', () => {
  beforeAll(() => start());
  afterAll(stop);

  it('asks before it uses the link, as scanners of mail open it too', async () => {
    const { email, cookie } = await app.register();
    const link = linkIn(await mails.mailTo(email));
    for (let i = 0; i < 3; i++) {
      const opened = await get(`${link.pathname}${link.search}`);
      expect(opened.status).toBe(200);
      expect(opened.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(opened.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-/,
      );
      const text = await opened.text();
      expect(text).toContain(`value="${link.searchParams.get('token')}"`);
      expect(text).toContain('only if you signed up yourself');
    }
    expect((await app.me(cookie)).body.user).toMatchObject({ emailVerified: false });
    const done = await fetch(`${app.url}/auth/verify/page`, {
      method: 'POST',
      body: new URLSearchParams({ token: link.searchParams.get('token') ?? '' }),
      headers: { cookie, origin: app.url },
    });
    expect(done.status).toBe(200);
    expect(await done.text()).toContain('Your e-mail address is confirmed');
    expect((await app.me(cookie)).body.user).toMatchObject({ emailVerified: true });
  });

  it('says on a page as well that a link has expired', async () => {
    const answer = await fetch(`${app.url}/auth/verify/page`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'nothing' }),
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(await answer.text()).toContain('This link has expired or was used already');
  });

  it.each(['/auth/verify', '/auth/password/reset'])('carries no markup of its address: %s', async (path) => {
    const answer = await get(
      `${path}?token=${encodeURIComponent('"><script>alert(1)</script>')}&utm_source=mail`,
    );
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).not.toContain('<script');
    expect(text).toContain('&#34;&#62;&#60;script&#62;');
  });

  it('is not pressed by a page of another origin', async () => {
    const answer = await fetch(`${app.url}/auth/verify/page`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'x' }),
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
  });
});

describe('with REQUIRE_VERIFIED_EMAIL', () => {
  beforeAll(() => start({ REQUIRE_VERIFIED_EMAIL: 'true' }));
  afterEach(() => {
    app.slices.next = null;
  });
  afterAll(stop);

  it('a customer gets a slice once the address is verified, and not before', async () => {
    app.slices.next = { id: 7, name: 'slice-7', status: 'active' };
    const { email, cookie, body } = await app.register();
    expect(body).toMatchObject({ sliceAssigned: false, slice: null });
    expect((await app.me(cookie)).body).toMatchObject({ slice: null });
    expect(await verify(await tokenFor(email))).toMatchObject({
      status: 200,
      body: { sliceAssigned: true, slice: { id: 7 } },
    });
    expect((await app.me(cookie)).body).toMatchObject({ slice: { id: 7 } });
  });

  it('a customer without a slice is served later only when the address is verified', async () => {
    const { email, cookie } = await app.register();
    const { email: verified, cookie: verifiedCookie } = await app.register();
    expect((await verify(await tokenFor(verified))).body).toMatchObject({ slice: null });
    app.slices.next = { id: 8, name: 'slice-8', status: 'provisioning' };
    await new WaitingCustomers(app.get(DataSource), app.slices, app.clock, app.config).serve();
    expect((await app.me(verifiedCookie)).body).toMatchObject({ slice: { id: 8 } });
    expect((await app.me(cookie)).body).toMatchObject({ user: { email }, slice: null });
  });
});
