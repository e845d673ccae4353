import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import type { Answer, AuthApp } from '../../support/auth-app.js';
import { secure } from '../../support/authenticator.js';
import { locationOf, OidcBrowser } from '../../support/oidc-browser.js';
import { HostileProvider } from '../../support/oidc-hostile.js';
import { OidcWorld, sessionOf } from '../../support/oidc-world.js';

const MINUTE = 60_000;
const required = { status: 403, body: { code: 'REAUTHENTICATION_REQUIRED' } };

function enroll(app: AuthApp, cookie: string): Promise<Answer> {
  return app.send('POST', '/auth/totp/enroll', { headers: { cookie } });
}

function remove(app: AuthApp, cookie: string, code?: string): Promise<Answer> {
  return app.send('DELETE', '/auth/totp', { headers: { cookie }, body: { code } });
}

describe('two factors, after a sign-in at a real provider', () => {
  it('are set up by whom it has just asked, and not by whom it knew from before', async () => {
    await using world = await OidcWorld.start();
    const { app } = world;
    const { subject } = world.person();
    const { browser, cookie } = await world.signIn(subject);
    expect((await enroll(app, cookie)).status).toBe(200);

    app.clock.advance(11 * MINUTE);
    expect(await enroll(app, cookie)).toMatchObject(required);
    const silent = await world.signIn(subject, browser);
    expect(silent.cookie).not.toBe(cookie);
    expect(await enroll(app, silent.cookie)).toMatchObject(required);
  });
});

describe('two factors, after a sign-in at a provider', () => {
  let provider: HostileProvider;
  let app: AuthApp;
  beforeAll(async () => {
    provider = await HostileProvider.start();
    app = await OidcWorld.startApp(provider, {});
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  /** Signs somebody in, of whom the ID token says this as well. */
  async function signIn(subject: string, claims: JWTPayload): Promise<string> {
    const browser = new OidcBrowser();
    const asked = new URL(locationOf(await browser.open(`${app.url}/auth/login`))).searchParams;
    provider.nonce = asked.get('nonce') ?? '';
    const person = { sub: subject, email: `${subject}@example.com` };
    provider.answerWith(() => provider.sign(provider.claims({ ...person, ...claims })));
    await browser.open(`${app.url}/auth/callback?code=the-code&state=${asked.get('state')}`);
    return sessionOf(browser, app.url);
  }

  const minutesAgo = (minutes: number): JWTPayload => ({
    auth_time: Math.floor((app.clock.nowMs() - minutes * MINUTE) / 1000),
  });

  it.each([
    ['nine minutes ago', 200, () => minutesAgo(9)],
    ['eleven minutes ago', 403, () => minutesAgo(11)],
    ['it does not say when', 403, () => ({})],
  ])('that authenticated the user %s: setting them up answers %i', async (_when, status, claims) => {
    const cookie = await signIn(crypto.randomUUID(), claims());
    expect((await enroll(app, cookie)).status).toBe(status);
  });

  it('are turned off without a code only by whom it has just asked', async () => {
    const subject = crypto.randomUUID();
    const fresh = await signIn(subject, minutesAgo(0));
    const { authenticator } = await secure(app, `${subject}@example.com`, fresh);
    for (const claims of [{}, minutesAgo(11)]) {
      const cookie = await signIn(subject, claims);
      expect(await remove(app, cookie)).toMatchObject(required);
    }
    const cookie = await signIn(subject, {});
    expect((await remove(app, cookie, authenticator.code())).status).toBe(204);
  });
});
