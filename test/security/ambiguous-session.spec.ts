import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Authenticator, hashSessionId, SessionCookie } from '#auth';
import { AuthApp } from '../support/auth-app.js';
import { describeOverStores } from '../support/over-stores.js';

/** A subdomain, or a slice, can plant a second cookie of our name beside the customer's own. */
describeOverStores('two session cookies', (env) => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({ env: env() });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const AMBIGUOUS = { status: 400, body: { code: 'AMBIGUOUS_SESSION' } };

  it('are refused when both are sessions, in either order', async () => {
    const [mine, theirs] = [await app.register(), await app.register()];
    expect(await app.me(`${mine.cookie}; ${theirs.cookie}`)).toMatchObject(AMBIGUOUS);
    expect(await app.me(`${theirs.cookie}; ${mine.cookie}`)).toMatchObject(AMBIGUOUS);
  });

  it('are refused when none is a session', async () => {
    expect(await app.me('session=a; session=b')).toMatchObject(AMBIGUOUS);
  });

  it('count as the one that is a session, in either order', async () => {
    const { cookie, email } = await app.register();
    expect(await app.me(`${cookie}; session=stale`)).toMatchObject({
      status: 200,
      body: { user: { email } },
    });
    expect(await app.me(`session=stale; ${cookie}`)).toMatchObject({
      status: 200,
      body: { user: { email } },
    });
  });

  it('that are the same cookie twice are one', async () => {
    const { cookie } = await app.register();
    expect((await app.me(`${cookie}; ${cookie}`)).status).toBe(200);
  });

  it('are told apart as well when one has the prefix __Host-', async () => {
    const [mine, theirs] = [await app.register(), await app.register()];
    expect((await app.me(`__Host-${mine.cookie}`)).status).toBe(200);
    expect(await app.me(`__Host-${mine.cookie}; ${theirs.cookie}`)).toMatchObject(AMBIGUOUS);
  });

  it('are refused at the edge’s entrance too', async () => {
    const [mine, theirs] = [await app.register(), await app.register()];
    const authenticator = app.get(Authenticator);
    await expect(authenticator.authenticateSession(`${mine.cookie}; ${theirs.cookie}`)).rejects.toMatchObject(
      { code: 'AMBIGUOUS_SESSION' },
    );
  });

  it('by the hundred cost no look-ups', async () => {
    const many = Array.from({ length: 100 }, (_, i) => `session=${i}`).join('; ');
    expect(() => app.get(SessionCookie).hashesIn(many)).toThrow(
      expect.objectContaining({ code: 'AMBIGUOUS_SESSION' }),
    );
    expect(await app.me(many)).toMatchObject(AMBIGUOUS);
  });

  it('cost a look-up only where they have the form of a session id', () => {
    const id = 'A'.repeat(43);
    const presented = ['', 'x', `${id}A`, id.slice(1), `${id.slice(1)}+`, `${id.slice(1)}=`, id];
    const header = presented.map((value) => `session=${value}`).join('; ');
    expect(app.get(SessionCookie).hashesIn(header)).toEqual([
      ...presented.slice(1).map(() => null),
      hashSessionId(id),
    ]);
  });

  it('are no dead end: a sign-in ends both and gives one', async () => {
    const [mine, theirs] = [await app.register(), await app.register()];
    const both = `${mine.cookie}; ${theirs.cookie}`;
    const answer = await app.send('POST', '/auth/login', {
      body: { email: mine.email, password: 'correct horse battery staple' },
      headers: { cookie: both },
    });
    expect(answer.status).toBe(200);
    expect((await app.me(`${both}; ${answer.cookie}`)).body.user.email).toBe(mine.email);
  });
});
