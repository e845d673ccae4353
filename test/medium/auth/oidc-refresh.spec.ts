import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ControlConnection } from '#database';
import { hashSessionId, ProviderSessions, SessionStore } from '#auth';
import type { Answer, AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { OidcWorld, type Signed } from '../../support/oidc-world.js';

const MINUTE = 60_000;
const LIFE_SECONDS = 3600;
/** Fifty-nine and a half minutes: within the skew of a minute. */
const NEARLY_OVER = 59.5 * MINUTE;

describe('the tokens of a session by OIDC', () => {
  let world: OidcWorld;
  let signed: Signed;
  beforeEach(async () => {
    world = await OidcWorld.start({ provider: { accessTokenSeconds: LIFE_SECONDS } });
    signed = await world.signIn(world.person().subject);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const whoami = (app: AuthApp = world.app): Promise<Answer> =>
    app.send('GET', '/whoami/me', { headers: { cookie: signed.cookie } });
  const hash = (): string => hashSessionId(signed.cookie.replace('session=', ''));
  const tokens = async (app = world.app) => {
    const found = await app.get(SessionStore).tokensOf(hash());
    if (found === null) throw new Error('The session has no tokens');
    return found;
  };

  it('are left alone while they last', async () => {
    later(58 * MINUTE, world.app);
    expect((await whoami()).status).toBe(200);
    expect((await world.app.me(signed.cookie)).status).toBe(200);
    expect(world.provider.refreshes).toBe(0);
  });

  it.each(['/whoami/me', '/auth/me'])('are refreshed by %s shortly before they end, once', async (path) => {
    const before = await tokens();
    later(NEARLY_OVER, world.app);
    for (let i = 0; i < 3; i++) {
      const { status } = await world.app.send('GET', path, { headers: { cookie: signed.cookie } });
      expect(status).toBe(200);
    }
    expect(world.provider.refreshes).toBe(1);
    const after = await tokens();
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.refreshToken).not.toBe(before.refreshToken);
  });

  it('are refreshed once for fifty requests at the moment of expiry, over two gateways, and nobody is signed out', async () => {
    await using there = await OidcWorld.startApp(world.provider, { database: world.app.database });
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
    for (let round = 1; round <= 3; round++) {
      later(NEARLY_OVER, world.app, there);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => {
          const app = i % 2 === 0 ? world.app : there;
          return i % 4 < 2 ? app.me(signed.cookie) : whoami(app);
        }),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(world.provider.refreshes).toBe(round);
    }
    expect((await whoami(there)).status).toBe(200);
  });

  it('end the session with 401 "Session expired" when the provider refuses', async () => {
    await world.provider.revokeGrants();
    later(NEARLY_OVER, world.app);
    expect(await whoami()).toMatchObject({
      status: 401,
      body: { error: 'Session expired', code: 'SESSION_EXPIRED', route: 'auth' },
    });
    expect(await world.app.me(signed.cookie)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
  });

  it('end the session for all who ask at that moment, of whom none gets another error', async () => {
    await world.provider.revokeGrants();
    later(NEARLY_OVER, world.app);
    const answers = await Promise.all(Array.from({ length: 20 }, () => whoami()));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
  });

  it('do not sign anybody out while the provider is down', async () => {
    later(2 * LIFE_SECONDS * 1000, world.app);
    world.provider.down = true;
    expect((await world.app.me(signed.cookie)).status).toBe(200);
    expect(await whoami()).toMatchObject({ status: 502, body: { code: 'OIDC_PROVIDER_FAILED' } });
    const asked = world.provider.requests.length;
    for (let i = 0; i < 5; i++) expect((await world.app.me(signed.cookie)).status).toBe(200);
    expect(world.provider.requests).toHaveLength(asked); // it is left in peace for a while
    world.provider.down = false;
    later(MINUTE, world.app);
    expect((await whoami()).status).toBe(200);
    expect(world.provider.refreshes).toBe(1);
  });

  it.each([
    ['invalid_grant', 400],
    ['invalid_request', 400],
    ['interaction_required', 400],
    ['access_denied', 403],
  ])('end their session alone when the provider refuses them by %s', async (error, status) => {
    const other = await world.signIn(world.person().subject);
    later(NEARLY_OVER, world.app);
    world.provider.tokenFailure = { status, error };
    expect(await whoami()).toMatchObject({ status: 401, body: { error: 'Session expired' } });
    world.provider.tokenFailure = undefined;
    expect((await world.app.me(other.cookie)).status).toBe(200);
    expect(world.provider.refreshes).toBe(1); // of the other one, at once
  });

  it.each([
    ['invalid_client', 401],
    ['temporarily_unavailable', 400],
    ['slow_down', 400],
    ['invalid_request', 429],
    ['invalid_grant', 500],
  ])('end no session when the provider serves nobody, by %s with %i', async (error, status) => {
    later(NEARLY_OVER, world.app);
    world.provider.tokenFailure = { status, error };
    expect((await world.app.me(signed.cookie)).status).toBe(200);
    const asked = world.provider.requests.length;
    expect((await world.app.me(signed.cookie)).status).toBe(200);
    expect(world.provider.requests).toHaveLength(asked);
  });

  it('are refreshed when the provider no longer accepts them before their time', async () => {
    const { accessToken } = await tokens();
    await world.provider.revokeAccess(accessToken);
    expect((await whoami()).status).toBe(200);
    expect(world.provider.refreshes).toBe(1);
  });

  it('that came for a session that has ended are revoked, and stored nowhere', async () => {
    later(NEARLY_OVER, world.app);
    const principal = await world.app.get(SessionStore).find(hash());
    if (principal === null) throw new Error('The session is gone');
    world.provider.onToken = () => world.app.get(SessionStore).revoke(hash());
    await expect(world.app.get(ProviderSessions).tokensOf(principal)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(world.provider.requests).toContain('POST /token/revocation');
  });

  it('are not lost with a store that fails as they come', async () => {
    later(NEARLY_OVER, world.app);
    const store = jest.spyOn(world.app.get(SessionStore), 'replaceTokens');
    store.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('still away'));
    expect((await whoami()).status).toBe(200);
    store.mockRestore();
    expect(world.provider.refreshes).toBe(1);
    later(NEARLY_OVER, world.app);
    expect((await whoami()).status).toBe(200);
    expect(world.provider.refreshes).toBe(2);
  });

  it('outlive a lost lock: a refusal that a quicker replica brought about signs nobody out', async () => {
    later(NEARLY_OVER, world.app);
    const principal = await world.app.get(SessionStore).find(hash());
    if (principal === null) throw new Error('The session is gone');
    const stolen = {
      ...(await tokens()),
      refreshToken: 'rotated by another replica',
      accessExpiresAtMs: Date.now() * 2,
    };
    world.provider.onToken = async () => {
      await world.app.get(SessionStore).replaceTokens(hash(), stolen);
      await world.provider.revokeGrants();
    };
    expect(await world.app.get(ProviderSessions).tokensOf(principal)).toEqual(stolen);
    expect((await world.app.me(signed.cookie)).status).toBe(200);
  });

  it('are the business of the provider only', async () => {
    const { cookie } = await world.app.register();
    later(NEARLY_OVER, world.app);
    expect((await world.app.me(cookie)).status).toBe(200);
    expect(world.provider.refreshes).toBe(0);
  });
});

describe('GET /whoami/me', () => {
  it('tells what the provider tells', async () => {
    await using world = await OidcWorld.start();
    const { subject, email } = world.person({ picture: 'https://pictures.example/ada' });
    const { cookie } = await world.signIn(subject);
    const answer = await world.app.send('GET', '/whoami/me', { headers: { cookie } });
    expect(answer.body).toEqual({
      sub: subject,
      email,
      name: 'Ada Lovelace',
      picture: 'https://pictures.example/ada',
    });
    expect((await world.app.send('GET', '/whoami/me')).status).toBe(401);
  });

  it('blames the provider, and not the session, while access tokens end and are not refreshed', async () => {
    const configuration = { clockTolerance: 0 };
    await using world = await OidcWorld.start({ provider: { accessTokenSeconds: 1, configuration } });
    const { cookie } = await world.signIn(world.person().subject);
    const [accessToken = ''] = world.provider.issued;
    await eventually(async () => expect(await world.provider.accepts(accessToken)).toBe(false));
    later(MINUTE, world.app);
    world.provider.tokenFailure = { status: 503, error: 'temporarily_unavailable' };
    const whoami = () => world.app.send('GET', '/whoami/me', { headers: { cookie } });
    for (let i = 0; i < 2; i++) {
      expect(await whoami()).toMatchObject({ status: 502, body: { code: 'OIDC_PROVIDER_FAILED' } });
    }
    world.provider.tokenFailure = undefined;
    later(MINUTE, world.app);
    expect((await whoami()).status).toBe(200);
  });

  it('says that the session expired when its access token ends, and nothing can refresh it', async () => {
    const configuration = { issueRefreshToken: async () => false };
    await using world = await OidcWorld.start({ provider: { configuration } });
    const { cookie } = await world.signIn(world.person().subject);
    await world.provider.revokeAccess(world.provider.issued[0] ?? '');
    expect(await world.app.send('GET', '/whoami/me', { headers: { cookie } })).toMatchObject({
      status: 401,
      body: { error: 'Session expired' },
    });
  });

  it('asks the provider no oftener for one address than /auth/* may be', async () => {
    await using world = await OidcWorld.start({ limits: { perAddress: 4 } });
    const { cookie } = await world.signIn(world.person().subject); // two of the four
    const answers = [];
    for (let i = 0; i < 3; i++)
      answers.push(await world.app.send('GET', '/whoami/me', { headers: { cookie } }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.at(-1)?.body).toMatchObject({ code: 'RATE_LIMITED' });
  });
});

describe('signing out of a session by OIDC', () => {
  it('revokes its tokens at the provider', async () => {
    await using world = await OidcWorld.start();
    const { cookie } = await world.signIn(world.person().subject);
    const answer = await world.app.send('POST', '/auth/logout', { headers: { cookie } });
    expect(answer.status).toBe(204);
    expect(world.provider.requests.filter((request) => request === 'POST /token/revocation')).toHaveLength(1);
    expect((await world.app.me(cookie)).status).toBe(401);
  });

  it('does so here at once, and asks for no more than two seconds, when the provider does not answer', async () => {
    await using world = await OidcWorld.start();
    const { cookie } = await world.signIn(world.person().subject);
    world.provider.hangs = true;
    const begun = performance.now();
    const answer = world.app.send('POST', '/auth/logout', { headers: { cookie } });
    await eventually(async () => expect((await world.app.me(cookie)).status).toBe(401), 1000);
    expect((await answer).status).toBe(204);
    expect(performance.now() - begun).toBeLessThan(4000);
  });

  it('succeeds when the provider fails', async () => {
    await using world = await OidcWorld.start();
    const { cookie } = await world.signIn(world.person().subject);
    world.provider.down = true;
    expect((await world.app.send('POST', '/auth/logout', { headers: { cookie } })).status).toBe(204);
  });
});

function later(ms: number, ...apps: AuthApp[]): void {
  for (const { clock } of apps) clock.advance(ms);
}
