import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';
import { loginWith, securedCustomer, STEP_MS } from '../../support/authenticator.js';

const invalid = { status: 401, body: { code: 'TOTP_INVALID' }, cookie: '' };
const required = { status: 401, body: { code: 'TOTP_REQUIRED' }, cookie: '' };
const wrongPassword = { status: 401, body: { code: 'INVALID_CREDENTIALS' }, cookie: '' };

let app: AuthApp;
beforeAll(async () => {
  app = await AuthApp.start({ limits: { codesPerAccount: 1000 } });
});
afterAll(() => app[Symbol.asyncDispose]());

describe('a sign-in with two factors', () => {
  it('needs a code besides the password', async () => {
    const { email, authenticator } = await securedCustomer(app);
    expect(await loginWith(app, email, PASSWORD)).toMatchObject(required);
    expect(await loginWith(app, email, PASSWORD, '')).toMatchObject(required);
    expect(await loginWith(app, email, PASSWORD, authenticator.wrongCode())).toMatchObject(invalid);
    const { status, cookie } = await loginWith(app, email, PASSWORD, authenticator.code());
    expect(status).toBe(200);
    expect((await app.me(cookie)).status).toBe(200);
  });

  it('tells only who knows the password that there are two factors', async () => {
    const { email, authenticator } = await securedCustomer(app);
    expect(await loginWith(app, email, 'wrong')).toMatchObject(wrongPassword);
    const code = authenticator.code();
    expect(await loginWith(app, email, 'wrong', code)).toMatchObject(wrongPassword);
    expect((await loginWith(app, email, PASSWORD, code)).status).toBe(200); // it was not used up
  });

  it('takes the code of the step before and of the one after, and no other', async () => {
    const { email, authenticator } = await securedCustomer(app);
    app.clock.advance(10 * STEP_MS);
    const login = async (steps: number) =>
      (await loginWith(app, email, PASSWORD, authenticator.code(steps))).status;
    expect([await login(-2), await login(2)]).toEqual([401, 401]);
    expect([await login(-1), await login(0), await login(1)]).toEqual([200, 200, 200]);
  });

  it('takes a code once, and none from before it', async () => {
    const { email, authenticator } = await securedCustomer(app);
    expect((await loginWith(app, email, PASSWORD, authenticator.code())).status).toBe(200);
    for (const steps of [0, -1]) {
      expect(await loginWith(app, email, PASSWORD, authenticator.code(steps))).toMatchObject(invalid);
    }
  });

  it('does not take the code that confirmed the enrolment', async () => {
    const { email, authenticator } = await securedCustomer(app);
    expect(await loginWith(app, email, PASSWORD, authenticator.code(-1))).toMatchObject(invalid);
  });

  it('reads codes as apps show them and people type them', async () => {
    const { email, authenticator, recoveryCodes } = await securedCustomer(app);
    const code = authenticator.code();
    expect((await loginWith(app, email, PASSWORD, ` ${code.slice(0, 3)} ${code.slice(3)} `)).status).toBe(
      200,
    );
    const typed = recoveryCodes[0]
      ?.toUpperCase()
      .replaceAll('-', ' ')
      .replaceAll('0', 'O')
      .replaceAll('1', 'l');
    expect((await loginWith(app, email, PASSWORD, typed)).status).toBe(200);
  });

  it('takes each recovery code once, and no other customer’s', async () => {
    const { email, recoveryCodes } = await securedCustomer(app);
    const stranger = await securedCustomer(app);
    expect(await loginWith(app, email, PASSWORD, stranger.recoveryCodes[0])).toMatchObject(invalid);
    for (const code of recoveryCodes.slice(0, 3)) {
      expect((await loginWith(app, email, PASSWORD, code)).status).toBe(200);
      expect(await loginWith(app, email, PASSWORD, code)).toMatchObject(invalid);
    }
  });

  it.each([
    ['12345'],
    ['1234567'],
    ['abcdef'],
    ['１２３４５６'],
    ['-12345'],
    ['0x1234'],
    ["' OR 1"],
    ['%00'],
    ['\u0000'],
  ])('refuses %j', async (code) => {
    const { email } = await securedCustomer(app);
    expect(await loginWith(app, email, PASSWORD, code)).toMatchObject(invalid);
  });

  it('is no different for whoever has one factor and sends a code', async () => {
    const { email } = await app.register();
    expect((await loginWith(app, email, PASSWORD, '123456')).status).toBe(200);
  });
});
