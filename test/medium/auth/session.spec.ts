import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type SessionRevocation, SessionRevocations } from '#auth';
import { AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { rejectQueries } from '../../support/reject-queries.js';

const DAY_MS = 24 * 3_600_000;

describe('the session', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('is what GET /auth/me needs', async () => {
    const answer = await app.send('GET', '/auth/me');
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED', route: 'auth' } });
  });

  it.each([
    'session=',
    'session=x',
    `session=${'A'.repeat(43)}`,
    `session="'; DROP TABLE session; --"`,
    'session',
  ])('is not made up: %s', async (cookie) => {
    expect((await app.me(cookie)).status).toBe(401);
  });

  it('is found among other cookies, in any place', async () => {
    const { cookie } = await app.register();
    expect((await app.me(`a=1; ${cookie}; sessions=2`)).status).toBe(200);
    expect((await app.me(`b;a=1;${cookie}`)).status).toBe(200);
  });

  it('rolls: each GET /auth/me gives it another 30 days, in the browser too', async () => {
    const { cookie } = await app.register();
    for (let i = 0; i < 3; i++) {
      app.clock.advance(29 * DAY_MS);
      const answer = await app.me(cookie);
      expect(answer.status).toBe(200);
      expect(answer.headers.getSetCookie()).toEqual([
        `${cookie}; Max-Age=${30 * 86_400}; Path=/; HttpOnly; SameSite=Lax`,
      ]);
    }
    app.clock.advance(30 * DAY_MS);
    expect((await app.me(cookie)).status).toBe(401);
  });

  it('ends at logout, and the browser forgets it', async () => {
    const { cookie } = await app.register();
    const answer = await app.send('POST', '/auth/logout', { headers: { cookie } });
    expect(answer).toMatchObject({ status: 204, body: null });
    expect(answer.headers.getSetCookie()).toEqual(['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
    expect((await app.me(cookie)).status).toBe(401);
  });

  it('is not needed for logout', async () => {
    expect((await app.send('POST', '/auth/logout')).status).toBe(204);
    expect((await app.send('POST', '/auth/logout', { headers: { cookie: 'session=x' } })).status).toBe(204);
  });

  it('ends on every replica', async () => {
    await using replica = await AuthApp.start({ database: app.database });
    const heard: SessionRevocation[] = [];
    replica.get(SessionRevocations).subscribe((revocation) => heard.push(revocation));
    const { cookie, body } = await app.register();
    expect((await replica.me(cookie)).status).toBe(200);

    await app.send('POST', '/auth/logout', { headers: { cookie } });
    await eventually(
      async () => expect(heard).toEqual([expect.objectContaining({ userId: body.user.id })]),
      1000,
    );
    expect((await replica.me(cookie)).status).toBe(401);
  });

  it('is still there, and logout says so, when the database fails at it', async () => {
    const { cookie } = await app.register();
    const restore = rejectQueries(app.get(DataSource), 'DELETE FROM session');
    const refused = await app.send('POST', '/auth/logout', { headers: { cookie } });
    restore();
    expect(refused).toMatchObject({ status: 503, body: { code: 'DATABASE_UNAVAILABLE' }, cookie: '' });
    expect((await app.me(cookie)).status).toBe(200);
    expect((await app.send('POST', '/auth/logout', { headers: { cookie } })).status).toBe(204);
  });
});

describe('the session cookie', () => {
  it('is Secure, for one site and of another name, when that is configured', async () => {
    await using app = await AuthApp.start({
      env: {
        SESSION_COOKIE_NAME: 'sid',
        SESSION_COOKIE_SECURE: 'true',
        SESSION_COOKIE_SAMESITE: 'Strict',
        SESSION_COOKIE_DOMAIN: 'example.com',
        SESSION_TTL_DAYS: '1',
      },
    });
    const { headers } = await app.register();
    expect(headers.getSetCookie()[0]).toMatch(
      /^sid=[\w-]{43}; Max-Age=86400; Domain=example\.com; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
  });

  it('keeps what the prefix __Host- promises', async () => {
    await using app = await AuthApp.start({
      env: { SESSION_COOKIE_NAME: '__Host-session', SESSION_COOKIE_SECURE: 'true' },
    });
    const { headers, cookie } = await app.register();
    expect(headers.getSetCookie()[0]).toMatch(
      /^__Host-session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect((await app.me(cookie)).status).toBe(200);
  });
});
