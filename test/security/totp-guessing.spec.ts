import { describe, expect, it } from '@jest/globals';
import { AuthApp, PASSWORD } from '../support/auth-app.js';
import { loginWith, securedCustomer } from '../support/authenticator.js';

const limited = { status: 429, body: { code: 'RATE_LIMITED' }, cookie: '' };

/** The threat: somebody who has the password tries codes, three of a million being right at any moment. */
describe('guessing codes', () => {
  it('ends after a few, wherever they come from, and whether in turn or at once', async () => {
    const env = { TRUST_PROXY: '127.0.0.1' };
    await using app = await AuthApp.start({ limits: { codesPerAccount: 5 }, env });
    const { email, authenticator } = await securedCustomer(app);
    const guess = (i: number) =>
      app.send('POST', '/auth/login', {
        body: { email, password: PASSWORD, totp: authenticator.wrongCode() },
        headers: { 'x-forwarded-for': `198.51.${i}.1` },
      });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => guess(i)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 5 }, () => 401),
      ...Array.from({ length: 15 }, () => 429),
    ]);
    const right = await loginWith(app, email, PASSWORD, authenticator.code());
    expect(right).toMatchObject(limited);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is counted for a recovery code, and for a code that is to turn two factors off, as well', async () => {
    await using app = await AuthApp.start({ limits: { codesPerAccount: 2 } });
    const { email, cookie, authenticator } = await securedCustomer(app);
    expect((await loginWith(app, email, PASSWORD, '0000-0000-0000-0000')).status).toBe(401);
    const remove = (code: string) =>
      app.send('DELETE', '/auth/totp', { body: { code }, headers: { cookie } });
    expect((await remove(authenticator.wrongCode())).status).toBe(401);
    expect((await remove(authenticator.code())).status).toBe(429);
  });

  it('does not clear the count of sign-ins to the account', async () => {
    await using app = await AuthApp.start({
      limits: { loginsPerAccountAndNetwork: 4, codesPerAccount: 1000 },
    });
    const { email, authenticator } = await securedCustomer(app);
    for (let i = 0; i < 3; i++) {
      expect((await loginWith(app, email, PASSWORD, authenticator.wrongCode())).status).toBe(401);
    }
    expect((await loginWith(app, email, PASSWORD)).status).toBe(401);
    expect(await loginWith(app, email, PASSWORD, authenticator.code())).toMatchObject(limited);
  });

  it('is impossible without the password, so no stranger can lock the owner out', async () => {
    await using app = await AuthApp.start({ limits: { codesPerAccount: 2 } });
    const { email, authenticator } = await securedCustomer(app);
    for (let i = 0; i < 10; i++) {
      expect(await loginWith(app, email, 'wrong', authenticator.wrongCode())).toMatchObject({
        body: { code: 'INVALID_CREDENTIALS' },
      });
    }
    expect((await loginWith(app, email, PASSWORD, authenticator.code())).status).toBe(200);
  });

  it('is forgiven to whoever slipped and then got it right', async () => {
    await using app = await AuthApp.start({ limits: { codesPerAccount: 3 } });
    const { email, authenticator, recoveryCodes } = await securedCustomer(app);
    for (const code of recoveryCodes.slice(0, 3)) {
      expect((await loginWith(app, email, PASSWORD, authenticator.wrongCode())).status).toBe(401);
      expect((await loginWith(app, email, PASSWORD, code)).status).toBe(200);
    }
  });
});
