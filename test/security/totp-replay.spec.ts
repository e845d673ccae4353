import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, AuthApp, PASSWORD } from '../support/auth-app.js';
import { loginWith, secure, securedCustomer } from '../support/authenticator.js';

const AT_ONCE = 100;

/**
 * The threat: somebody who knows the password and reads a code as it is typed (over a shoulder, on a page that looks
 * like ours) sends it at the same moment as its owner, to another replica.
 */
describe('a code that is sent many times at once', () => {
  let one: AuthApp;
  let other: AuthApp;
  beforeAll(async () => {
    const limits = { codesPerAccount: 10_000 };
    one = await AuthApp.start({ limits });
    other = await AuthApp.start({
      limits,
      database: one.database,
      env: { SECRET_KEY: one.config.secretKey },
    });
  });
  afterAll(async () => {
    await other[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
  });

  /** A hundred sign-ins with this code, half of them at each replica. */
  async function race(email: string, code: string): Promise<Record<number, number>> {
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => loginWith(i % 2 === 0 ? one : other, email, PASSWORD, code)),
    );
    return tally(answers);
  }

  it('signs in once, when it is of the authenticator app', async () => {
    const { email, authenticator } = await securedCustomer(one);
    other.clock.advance(one.clock.nowMs() - other.clock.nowMs());
    expect(await race(email, authenticator.code())).toEqual({ 200: 1, 401: AT_ONCE - 1 });
  }, 60_000);

  it('signs in once, when it is a recovery code', async () => {
    const { email, cookie } = await one.register();
    const { recoveryCodes } = await secure(one, email, cookie);
    expect(await race(email, recoveryCodes[0] ?? '')).toEqual({ 200: 1, 401: AT_ONCE - 1 });
  }, 60_000);
});

function tally(answers: readonly Answer[]): Record<number, number> {
  return Object.fromEntries(
    [...Map.groupBy(answers, ({ status }) => status)].map(([status, of]) => [status, of.length]),
  );
}
