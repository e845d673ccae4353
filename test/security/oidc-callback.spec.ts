import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { locationOf, OidcBrowser, type Page } from '../support/oidc-browser.js';
import { OidcWorld, sessionOf } from '../support/oidc-world.js';

const TEN_MINUTES = 600_000;

/** Stolen, replayed and made up callbacks: none of them signs anybody in. */
describe('a callback', () => {
  let world: OidcWorld;
  let subject: string;
  beforeAll(async () => {
    world = await OidcWorld.start();
    ({ subject } = world.person());
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function refused(browser: OidcBrowser, page: Page): Promise<void> {
    expect(page.status).toBe(400);
    expect(JSON.parse(page.text)).toMatchObject({ code: 'OIDC_STATE_INVALID', route: 'auth' });
    expect(await sessionOf(browser, world.app.url)).toBe('');
  }

  it('that was stolen is worth nothing in a browser without the cookie', async () => {
    const stolen = await world.upToCallback(new OidcBrowser(), subject);
    const thief = new OidcBrowser();
    await refused(thief, await thief.open(stolen));
  });

  it('that was stolen is worth nothing in a browser that signs in itself', async () => {
    const stolen = await world.upToCallback(new OidcBrowser(), subject);
    const thief = new OidcBrowser();
    await world.begin(thief);
    await refused(thief, await thief.open(stolen));
  });

  it("with the thief's state and the victim's code is worth nothing", async () => {
    const stolen = new URL(await world.upToCallback(new OidcBrowser(), subject));
    const thief = new OidcBrowser();
    const state = new URL(locationOf(await world.begin(thief))).searchParams.get('state') ?? '';
    stolen.searchParams.set('state', state);
    const page = await thief.open(stolen.href);
    expect(page.status).toBe(502); // the provider refuses the code: it belongs to another PKCE challenge
    expect(await sessionOf(thief, world.app.url)).toBe('');
  });

  it('works once', async () => {
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, subject);
    expect((await browser.open(callback)).status).toBe(302);
    await browser.jar.removeAllCookies();
    await refused(browser, await browser.open(callback));
  });

  it('works once, of two that come at the same moment', async () => {
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, subject);
    const pages = await Promise.all([browser.open(callback), browser.open(callback)]);
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([302, 400]);
  });

  it('comes within ten minutes', async () => {
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, subject);
    world.app.clock.advance(TEN_MINUTES);
    await refused(browser, await browser.open(callback));
    world.app.clock.advance(-TEN_MINUTES);
  });

  it.each([
    '',
    '?code=x',
    '?state=x',
    '?state=x&code=y',
    '?state=&code=',
    '?error=access_denied',
    '?state=x&error=y',
  ])('that is made up is refused: %s', async (query) => {
    const browser = new OidcBrowser();
    await world.begin(browser);
    await refused(browser, await browser.open(`${world.callback}${query}`));
  });

  it.each(['state', 'code', 'iss', 'error'])('does not say %s twice', async (name) => {
    const browser = new OidcBrowser();
    const callback = new URL(await world.upToCallback(browser, subject));
    callback.searchParams.append(name, 'another');
    callback.searchParams.append(name, 'and another');
    const page = await browser.open(callback.href);
    expect(page.status).toBe(400);
    expect(JSON.parse(page.text)).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: name }] });
  });

  it('of another issuer is refused (mix-up, RFC 9207)', async () => {
    const browser = new OidcBrowser();
    const callback = new URL(await world.upToCallback(browser, subject));
    callback.searchParams.set('iss', 'https://evil.example');
    expect((await browser.open(callback.href)).status).toBe(502);
    expect(await sessionOf(browser, world.app.url)).toBe('');
  });

  it('with two cookies that bind the browser is refused: one of them was planted', async () => {
    const browser = new OidcBrowser();
    const callback = await world.upToCallback(browser, subject);
    const cookie = await browser.jar.getCookieString(world.app.url);
    const planted = `${cookie.split('=')[0]}=${'A'.repeat(43)}`;
    const page = await new OidcBrowser().open(callback, { headers: { cookie: `${planted}; ${cookie}` } });
    expect(page.status).toBe(400);
  });

  it('ends the session that the browser had before, and gives another id', async () => {
    const { cookie: before } = await world.app.register();
    const browser = new OidcBrowser();
    await browser.jar.setCookie(before, world.app.url);
    const { cookie: after } = await world.signIn(subject, browser);
    expect(after).not.toBe(before);
    expect((await world.app.me(before)).status).toBe(401);
    expect((await world.app.me(after)).status).toBe(200);
  });
});
