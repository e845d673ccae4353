import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionsService, SessionStore } from '#auth';
import { User, UserIdentity } from '#database';
import { locationOf, OidcBrowser, type Page } from '../../support/oidc-browser.js';
import { OidcWorld } from '../../support/oidc-world.js';

describe('sign-in at a real OpenID provider', () => {
  let world: OidcWorld;
  beforeAll(async () => {
    world = await OidcWorld.start();
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    world.app.slices.next = null;
  });

  const loginCookies = async (browser: OidcBrowser): Promise<string[]> => {
    const cookies = await browser.jar.getCookies(world.app.url);
    return cookies.filter(({ key }) => key.startsWith('session_login')).map((each) => each.cookieString());
  };
  const users = (email: string): Promise<User[]> =>
    world.app.get(DataSource).getRepository(User).findBy({ email });

  it('makes an account, gives it a slice, and returns to where the browser wanted to go', async () => {
    world.app.slices.next = { id: 7, name: 'slice-7', status: 'active' };
    const { subject, email } = world.person();
    const { page, cookie } = await world.signIn(subject, new OidcBrowser(), { next: '/dashboard?tab=1#top' });
    expect(page.status).toBe(302);
    expect(locationOf(page)).toBe(`${world.app.url}/dashboard?tab=1#top`);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect((await world.app.me(cookie)).body).toMatchObject({
      user: { email, name: 'Ada Lovelace', role: 'member', emailVerified: true },
      slice: { id: 7 },
    });
  });

  it('asks with PKCE by S256, a state and a nonce, and keeps none of the secrets in clear', async () => {
    const page = await world.begin(new OidcBrowser());
    const asked = new URL(locationOf(page)).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'sluice',
      redirect_uri: world.callback,
      scope: 'openid profile email offline_access',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const rows = await world.app
      .get(DataSource)
      .query('SELECT encode(state_hash || sealed, $1) FROM login_state', ['escape']);
    expect(JSON.stringify(rows)).not.toContain(asked.get('state'));
    expect(JSON.stringify(rows)).not.toContain(asked.get('nonce'));
  });

  it('sets a session of eight hours', async () => {
    const { page } = await world.signIn(world.person().subject);
    const [cookie] = page.headers.getSetCookie();
    expect(cookie).toMatch(/^session=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('knows the same person again, whatever their address has become', async () => {
    const { subject, email } = world.person();
    const first = await world.signIn(subject);
    world.provider.accounts.set(subject, { email: 'new@example.com', email_verified: true });
    const second = await world.signIn(subject);
    const [before, after] = await Promise.all([world.app.me(first.cookie), world.app.me(second.cookie)]);
    expect(after.body.user).toEqual(before.body.user);
    expect(await users(email)).toHaveLength(1);
    expect(await users('new@example.com')).toHaveLength(0);
  });

  it('makes one account of two first sign-ins at once', async () => {
    const { subject, email } = world.person();
    const browsers = Array.from({ length: 8 }, () => new OidcBrowser());
    const callbacks: string[] = [];
    for (const browser of browsers) callbacks.push(await world.upToCallback(browser, subject));
    const pages = await Promise.all(browsers.map((browser, i) => browser.open(callbacks[i] ?? '')));
    expect(pages.map(({ status }) => status)).toEqual(browsers.map(() => 302));
    expect(await users(email)).toHaveLength(1);
    expect(await world.app.get(DataSource).getRepository(UserIdentity).findBy({ subject })).toHaveLength(1);
  });

  it('opens no session under an end of all the access of the account', async () => {
    const store = world.app.get(SessionStore);
    const create = store.create.bind(store);
    jest.spyOn(store, 'create').mockImplementationOnce(async (session) => {
      await world.app.get(SessionsService).endAll(session.userId);
      await create(session);
    });
    const { subject, email } = world.person();
    const { page, cookie } = await world.signIn(subject);
    expect([page.status, cookie]).toEqual([401, '']);
    const [user] = await users(email);
    expect(await store.list(user?.id ?? '')).toEqual([]);
    expect((await world.signIn(subject)).page.status).toBe(302);
  });

  it('takes no role from the provider', async () => {
    const { subject } = world.person({ role: 'admin', roles: ['admin'], groups: ['admin'] });
    const { cookie } = await world.signIn(subject);
    expect((await world.app.me(cookie)).body.user.role).toBe('member');
  });

  it('lets two tabs of a browser begin at the same moment, and both succeed', async () => {
    const browser = new OidcBrowser();
    const { subject } = world.person();
    const [one, two] = await Promise.all([
      world.begin(browser, { next: '/one' }),
      world.begin(browser, { next: '/two' }),
    ]);
    const first = await browser.open(await browser.signInAt(one, world.callback, subject));
    const second = await browser.open(await browser.signInAt(two, world.callback, subject));
    expect([locationOf(first), locationOf(second)]).toEqual([`${world.app.url}/one`, `${world.app.url}/two`]);
  });

  it('keeps a cookie for each sign-in that has begun, of the last five', async () => {
    const browser = new OidcBrowser();
    const { subject } = world.person();
    const pages: Page[] = [];
    for (let i = 0; i < 7; i++) pages.push(await world.begin(browser));
    const cookies = await browser.jar.getCookies(world.app.url);
    const expected = {
      key: expect.stringMatching(/^session_login_[\w-]{8}$/),
      httpOnly: true,
      sameSite: 'lax',
      maxAge: 600,
    };
    expect(
      cookies.map(({ key, httpOnly, sameSite, maxAge }) => ({ key, httpOnly, sameSite, maxAge })),
    ).toEqual(Array.from({ length: 5 }, () => expected));
    for (const page of pages.slice(2).toReversed()) {
      const done = await browser.open(await browser.signInAt(page, world.callback, subject));
      expect(done.status).toBe(302);
    }
  });

  it('takes away the cookie of the sign-in that ends, and of no other', async () => {
    const browser = new OidcBrowser();
    await world.begin(browser);
    const before = await loginCookies(browser);
    await world.signIn(world.person().subject, browser);
    expect(before).toHaveLength(1);
    expect(await loginCookies(browser)).toEqual(before);
  });

  it('tells somebody who declines at the provider', async () => {
    const browser = new OidcBrowser();
    const state = new URL(locationOf(await world.begin(browser))).searchParams.get('state');
    const page = await browser.open(`${world.callback}?error=access_denied&state=${state}`);
    expect(page.status).toBe(400);
    expect(JSON.parse(page.text)).toMatchObject({ code: 'OIDC_LOGIN_REFUSED' });
  });

  it('says that the provider is at fault when it says so itself', async () => {
    const browser = new OidcBrowser();
    const state = new URL(locationOf(await world.begin(browser))).searchParams.get('state');
    const page = await browser.open(`${world.callback}?error=server_error&state=${state}`);
    expect(page.status).toBe(502);
    expect(JSON.parse(page.text)).toMatchObject({ code: 'OIDC_PROVIDER_FAILED' });
  });

  it('needs an e-mail address', async () => {
    const { subject } = world.person({ email: undefined });
    const { page, cookie } = await world.signIn(subject);
    expect(page.status).toBe(502);
    expect(cookie).toBe('');
  });

  it('takes what is no name for none', async () => {
    const { subject } = world.person({ name: ' \u0000\r\n ' });
    const { cookie } = await world.signIn(subject);
    expect((await world.app.me(cookie)).body.user).toMatchObject({ name: null });
  });

  it('begins anew under our own name when the browser came by another one of ours', async () => {
    const { port } = new URL(world.app.url);
    const elsewhere = `http://localhost:${port}`;
    const page = await new OidcBrowser().open(`${elsewhere}/auth/login?next=/x`, {
      headers: { referer: `${elsewhere}/start` },
    });
    expect(locationOf(page)).toBe(
      `${world.app.url}/auth/login?next=%2Fx&frontend_host=${encodeURIComponent(elsewhere)}`,
    );
    expect(page.headers.getSetCookie()).toEqual([]);
  });
});

describe('sign-in by OpenID Connect, as it is configured', () => {
  it('is 404 where there is no provider, and whoami tells what the account has', async () => {
    await using world = await OidcWorld.start({
      env: { OIDC_ISSUER: '', OIDC_CLIENT_ID: '', OIDC_CLIENT_SECRET: '' },
    });
    for (const path of ['/auth/login', '/auth/callback?state=x&code=y']) {
      expect(await world.app.send('GET', path)).toMatchObject({
        status: 404,
        body: { code: 'OIDC_DISABLED' },
      });
    }
    const { cookie, body } = await world.app.register();
    expect((await world.app.send('GET', '/whoami/me', { headers: { cookie } })).body).toEqual({
      sub: body.user.id,
      name: null,
      email: body.user.email,
      picture: null,
    });
  });

  it('has its callback where OIDC_REDIRECT_PATH says', async () => {
    await using world = await OidcWorld.start({ env: { OIDC_REDIRECT_PATH: '/signed-in/here' } });
    const { page, cookie } = await world.signIn(world.person().subject);
    expect(page.url).toContain('/signed-in/here?');
    expect((await world.app.me(cookie)).status).toBe(200);
    expect((await world.app.send('GET', '/auth/callback')).status).toBe(404);
  });

  it('starts while the provider is down, says so, and works once it is up', async () => {
    await using world = await OidcWorld.start();
    world.provider.down = true;
    const down = await world.begin(new OidcBrowser());
    expect(down.status).toBe(502);
    expect(JSON.parse(down.text)).toMatchObject({ code: 'OIDC_PROVIDER_FAILED' });
    expect(down.headers.getSetCookie()).toEqual([]);
    world.provider.down = false;
    expect((await world.signIn(world.person().subject)).page.status).toBe(302);
    await world.begin(new OidcBrowser());
    const discoveries = world.provider.requests.filter((request) => request.includes('/.well-known/'));
    expect(discoveries).toHaveLength(2); // the one that failed, and one for good
  });

  it('needs no discovery where all endpoints are named', async () => {
    await using world = await OidcWorld.start({ endpoints: true });
    expect((await world.signIn(world.person().subject)).page.status).toBe(302);
    expect(world.provider.requests.filter((request) => request.includes('/.well-known/'))).toEqual([]);
  });

  it('binds the browser by a cookie that no other host can plant, where cookies are Secure', async () => {
    await using world = await OidcWorld.start({ env: { SESSION_COOKIE_SECURE: 'true' } });
    const { headers } = await fetch(`${world.app.url}/auth/login`, { redirect: 'manual' });
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-session_login_[\w-]{8}=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
  });
});
