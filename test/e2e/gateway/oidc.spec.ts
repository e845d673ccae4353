import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { ControlConnection, UserIdentity } from '#database';
import { ASSIGNED_SLICES, assign } from '../../support/assigned-slices.js';
import { EchoApp, type Seen, valuesOf } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { locationOf, OidcBrowser } from '../../support/oidc-browser.js';
import { TestProvider } from '../../support/oidc-provider.js';
import { closeCode, openSocket } from '../../support/sockets.js';
import { TestClock } from '../../support/test-clock.js';

/** Within the slice paths, where it wins over the slice all the same. */
const CALLBACK = '/api/callback';
const NEARLY_OVER = 59.5 * 60_000;

/** Both gateways live at the same time, and when they begin so does the provider. */
const clock = new TestClock(Date.now());

function override(builder: TestingModuleBuilder): TestingModuleBuilder {
  return (ASSIGNED_SLICES.override?.(builder) ?? builder).overrideProvider(Clock).useValue(clock);
}

describe('a customer who signs in by OpenID Connect', () => {
  let provider: TestProvider;
  let app: EchoApp;
  let here: Gateway;
  let there: Gateway;
  let browser: OidcBrowser;
  let subject: string;
  beforeAll(async () => {
    [provider, app] = await Promise.all([TestProvider.listen(), EchoApp.start('the slice')]);
    const env = {
      ...ASSIGNED_SLICES.env,
      ...provider.env,
      OIDC_REDIRECT_PATH: CALLBACK,
      SECRET_KEY: 'the secret key of both gateways of this test',
    };
    const configFile = `
services:
  open: { url: "http://127.0.0.1:${app.port}", path: /open, auth: [session, none] }
`;
    here = await Gateway.start({ env, override, configFile });
    there = await Gateway.start({ env, override, database: here.database, dataDir: here.dataDir });
    await provider.serve([here.url + CALLBACK]);
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
  }, 30_000);
  afterAll(async () => {
    await there[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
    await Promise.all([provider[Symbol.asyncDispose](), app[Symbol.asyncDispose]()]);
  });

  beforeEach(async () => {
    browser = new OidcBrowser();
    subject = crypto.randomUUID();
    const email = `${subject}@example.com`;
    provider.accounts.set(subject, { email, email_verified: true, name: 'Ada Lovelace' });
    const login = await browser.open(`${here.url}/auth/login?next=/app`);
    const done = await browser.open(await browser.signInAt(login, here.url + CALLBACK, subject));
    expect(locationOf(done)).toBe(`${here.url}/app`);
    const identities = here.get(DataSource).getRepository(UserIdentity);
    const { userId } = await identities.findOneByOrFail({ issuer: provider.issuer, subject });
    await assign(here, userId, app);
    await eventually(async () => expect((await browser.open(`${here.url}/api/x`)).status).toBe(200));
    await eventually(async () => expect((await browser.open(`${there.url}/api/x`)).status).toBe(200));
  });

  it('is known to the slice by the name that the provider gives, and by none of our cookies', async () => {
    await browser.open(`${here.url}/auth/login`); // gives the cookie that binds the browser
    await browser.jar.setCookie('theirs=1', here.url);
    const { text } = await browser.open(`${here.url}/api/x`);
    const { rawHeaders } = JSON.parse(text) as Seen;
    expect(valuesOf(rawHeaders, 'x-user-sub')).toEqual([subject]);
    expect(valuesOf(rawHeaders, 'x-user-email')).toEqual([`${subject}@example.com`]);
    expect(valuesOf(rawHeaders, 'x-user-name')).toEqual(['Ada Lovelace']);
    expect(valuesOf(rawHeaders, 'cookie')).toEqual([expect.stringContaining('theirs=1')]);
    expect(valuesOf(rawHeaders, 'cookie').join()).not.toMatch(/(^|; )session(_login[\w-]*)?=/);
  });

  it('is not signed out by fifty requests at the moment of expiry over two gateways, which refresh once', async () => {
    const before = provider.refreshes;
    const urls = ['/api/x', '/auth/me', '/whoami/me'].flatMap((path) => [here.url + path, there.url + path]);
    for (let round = 1; round <= 2; round++) {
      clock.advance(NEARLY_OVER);
      const pages = await Promise.all(
        Array.from({ length: 50 }, (_, i) => browser.open(urls[i % urls.length] ?? '')),
      );
      expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
      expect(provider.refreshes - before).toBe(round);
    }
  });

  it('is out on slice paths as well, WebSockets and all, once the provider says so', async () => {
    const cookie = await browser.jar.getCookieString(there.url);
    const socket = await openSocket(`${there.url}/api/live`, { cookie });
    const closed = closeCode(socket);
    await provider.revokeGrants();
    clock.advance(NEARLY_OVER);
    const page = await browser.open(`${here.url}/api/x`);
    expect(page.status).toBe(401);
    expect(JSON.parse(page.text)).toMatchObject({ error: 'Session expired', code: 'SESSION_EXPIRED' });
    expect(await closed).toBe(1008);
    await eventually(async () => expect((await browser.open(`${there.url}/api/x`)).status).toBe(401));
  });

  async function openRoute(): Promise<Seen> {
    return JSON.parse((await browser.open(`${here.url}/open/x`)).text) as Seen;
  }

  it('is nobody, and served, on a route that is open to everybody', async () => {
    expect(valuesOf((await openRoute()).rawHeaders, 'x-user-sub')).toEqual([subject]);
    await provider.revokeGrants();
    clock.advance(NEARLY_OVER);
    const [first, second] = [await openRoute(), await openRoute()];
    for (const seen of [first, second]) {
      expect(seen).toMatchObject({ sliceId: 'the slice', url: '/x' });
      expect(valuesOf(seen.rawHeaders, 'x-user-sub')).toEqual([]);
    }
  });

  it('goes on using the slice while the provider is down', async () => {
    provider.down = true;
    clock.advance(2 * NEARLY_OVER);
    for (let i = 0; i < 3; i++) {
      expect((await browser.open(`${here.url}/api/x`)).status).toBe(200);
      expect((await browser.open(`${there.url}/api/x`)).status).toBe(200);
    }
    provider.down = false;
  });
});
