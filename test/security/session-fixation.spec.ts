import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SessionStore } from '#auth';
import { AuthApp, PASSWORD } from '../support/auth-app.js';
import { describeOverStores } from '../support/over-stores.js';

/** An attacker who can plant a cookie in a browser knows the id in it; signing in must not make that id worth anything. */
describeOverStores('session fixation', (env) => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({ env: env() });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it.each(['/auth/login', '/auth/register'])('%s never takes up an id that was sent', async (path) => {
    const planted = `session=${'A'.repeat(43)}`;
    const email = `${crypto.randomUUID()}@example.com`;
    if (path === '/auth/login') await app.register(email);
    const answer = await app.send('POST', path, {
      body: { email, password: PASSWORD },
      headers: { cookie: planted },
    });
    expect(answer.cookie).toMatch(/^session=[\w-]{43}$/);
    expect(answer.cookie).not.toBe(planted);
    expect((await app.me(planted)).status).toBe(401);
  });

  it('ends the session that was presented, so the attacker’s own is none either', async () => {
    const attacker = await app.register();
    const victim = await app.register();
    const answer = await app.login(victim.email, PASSWORD, { cookie: attacker.cookie });
    expect(answer.status).toBe(200);
    expect((await app.me(attacker.cookie)).status).toBe(401);
    expect((await app.me(answer.cookie)).body.user.email).toBe(victim.email);
  });

  it('a sign-in that fails ends nothing', async () => {
    const { email, cookie } = await app.register();
    expect((await app.login(email, 'wrong', { cookie })).status).toBe(401);
    expect((await app.me(cookie)).status).toBe(200);
  });

  it('gives a new id at every sign-in, and leaves other browsers signed in', async () => {
    const { email, cookie, body } = await app.register();
    const cookies = [cookie, (await app.login(email)).cookie, (await app.login(email)).cookie];
    expect(new Set(cookies).size).toBe(3);
    for (const each of cookies) expect((await app.me(each)).status).toBe(200);
    expect(await app.get(SessionStore).list(body.user.id)).toHaveLength(3);
  });

  it('keeps at least 192 bits in an id', async () => {
    const [, id = ''] = (await app.register()).cookie.split('=');
    expect(Buffer.from(id, 'base64url').length * 8).toBeGreaterThanOrEqual(192);
  });
});
