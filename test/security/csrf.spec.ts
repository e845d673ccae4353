import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Post } from '@nestjs/common';
import { Public, RequireAdmin, RequireSession } from '#auth';
import { ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, AuthApp, PASSWORD } from '../support/auth-app.js';

@Controller('effect')
class Effects {
  @Post('session')
  @RequireSession()
  ofSession() {
    return { done: true };
  }

  @Post('admin')
  @RequireAdmin('keyOrSession')
  ofAdmin() {
    return { done: true };
  }

  @Post('public')
  @Public()
  ofAnybody() {
    return { done: true };
  }
}

/** A page of another site makes the customer's browser send requests, with the customer's cookie. */
describe('cross-site request forgery', () => {
  let app: AuthApp;
  let own: string;
  let cookie: string;
  beforeAll(async () => {
    app = await AuthApp.start({
      controllers: [Effects],
      env: { ALLOWED_ORIGINS: 'https://frontend.example.com' },
    });
    own = app.url;
    ({ cookie } = await app.register());
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const FOREIGN: Array<Record<string, string>> = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://frontend.example.com.evil.example' },
    { origin: 'http://frontend.example.com' },
    { origin: 'https://frontend.example.com, https://evil.example' },
    { referer: 'https://evil.example/?https://frontend.example.com/' },
    { referer: 'about:blank' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', referer: 'https://frontend.example.com/' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    { origin: 'https://frontend.example.com', referer: 'https://evil.example/' },
  ];

  it.each(FOREIGN)('refuses what comes from %j', async (headers) => {
    for (const path of ['/effect/session', '/effect/public', '/auth/logout']) {
      expect(await app.send('POST', path, { headers: { cookie, ...headers } })).toMatchObject({
        status: 403,
        body: { code: 'CSRF_REJECTED' },
      });
    }
    expect((await app.me(cookie)).status).toBe(200);
  });

  it('lets its own page, an allowed frontend and what is no browser through', async () => {
    const wanted: Array<Record<string, string>> = [
      {},
      { origin: own },
      { origin: own, referer: `${own}/console`, 'sec-fetch-site': 'same-origin' },
      { origin: own.replace('127.0.0.1', 'localhost') },
      { origin: 'https://frontend.example.com', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of wanted) {
      const { status } = await app.send('POST', '/effect/session', { headers: { cookie, ...headers } });
      expect({ headers, status }).toEqual({ headers, status: 201 });
    }
  });

  it.each(['/auth/login', '/auth/register'])(
    'refuses a form on a foreign page that would sign its visitor in by %s',
    async (path) => {
      const { email } = await app.register();
      const answer = await app.send('POST', path, {
        body: new URLSearchParams({ email, password: PASSWORD }).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: 'https://evil.example',
          'sec-fetch-site': 'cross-site',
        },
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'CSRF_REJECTED' }, cookie: '' });
    },
  );

  it('asks nothing of the admin key, which no browser sends by itself', async () => {
    const headers = { 'x-admin-key': ADMIN_KEY, origin: 'https://evil.example' };
    expect((await app.send('POST', '/effect/admin', { headers })).status).toBe(201);
  });

  it('does not take a wrong key beside a cookie for a key', async () => {
    const admin = await app.login(ADMIN_EMAIL, ADMIN_PASSWORD);
    const headers = { cookie: admin.cookie, 'x-admin-key': 'wrong', origin: 'https://evil.example' };
    expect((await app.send('POST', '/effect/admin', { headers })).status).toBe(403);
    expect((await app.send('POST', '/effect/admin', { headers: { cookie: admin.cookie } })).status).toBe(201);
  });
});
