import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { RequireAdmin } from '#auth';
import { ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, AuthApp } from '../../support/auth-app.js';
import { type Enrolled, loginWith, secure } from '../../support/authenticator.js';

@Controller('probe')
class Probe {
  @Get()
  @RequireAdmin('keyOrSession')
  operator() {
    return { ok: true };
  }
}

const enrolmentRequired = { status: 403, body: { code: 'TOTP_ENROLMENT_REQUIRED' } };

/** In production the first admin begins like this. */
describe('an admin, with ADMIN_REQUIRE_TOTP', () => {
  let app: AuthApp;
  let cookie: string;
  beforeAll(async () => {
    app = await AuthApp.start({ controllers: [Probe], env: { ADMIN_REQUIRE_TOTP: 'true' } });
  });
  beforeEach(async () => {
    cookie = (await app.login(ADMIN_EMAIL, ADMIN_PASSWORD)).cookie;
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const probe = (headers: Record<string, string>) => app.send('GET', '/probe', { headers });
  const login = (totp?: string) =>
    app.send('POST', '/auth/login', { body: { username: ADMIN_EMAIL, password: ADMIN_PASSWORD, totp } });

  async function withTwoFactors<T>(use: (enrolled: Enrolled) => Promise<T>): Promise<T> {
    const enrolled = await secure(app, ADMIN_EMAIL, cookie);
    try {
      return await use(enrolled);
    } finally {
      await app.send('DELETE', '/auth/totp', { headers: { cookie } });
    }
  }

  it('without two factors is told to set them up, at every admin endpoint', async () => {
    expect(await probe({ cookie })).toMatchObject(enrolmentRequired);
  });

  it('can do so: /auth is open', async () => {
    expect((await app.me(cookie)).status).toBe(200);
    await withTwoFactors(async ({ authenticator }) => {
      expect((await probe({ cookie })).status).toBe(200);
      const again = await loginWith(app, ADMIN_EMAIL, ADMIN_PASSWORD, authenticator.code());
      expect((await probe({ cookie: again.cookie })).status).toBe(200);
    });
  });

  it('gets no token without two factors', async () => {
    expect(await login()).toMatchObject(enrolmentRequired);
    await withTwoFactors(async ({ authenticator }) => {
      expect(await login()).toMatchObject({ status: 401, body: { code: 'TOTP_REQUIRED' } });
      expect((await login(authenticator.code())).status).toBe(200);
    });
  });

  it('opens nothing with a token once the two factors are off', async () => {
    const token = await withTwoFactors(async ({ authenticator }) => {
      const { body } = await login(authenticator.code());
      expect((await probe({ authorization: `Bearer ${body['token']}` })).status).toBe(200);
      return body['token'];
    });
    expect(await probe({ authorization: `Bearer ${token}` })).toMatchObject(enrolmentRequired);
  });

  it('is not the holder of the admin key, nor a member', async () => {
    expect((await probe({ 'x-admin-key': ADMIN_KEY })).status).toBe(200);
    const member = await app.register();
    expect(await probe({ cookie: member.cookie })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    });
  });
});
