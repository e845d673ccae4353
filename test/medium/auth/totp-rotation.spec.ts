import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SecretBox } from '#common';
import { SecretRotation } from '#database';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';
import { Authenticator, loginWith, securedCustomer } from '../../support/authenticator.js';

it('two factors, recovery codes included, outlast a rotation of SECRET_KEY', async () => {
  await using before = await AuthApp.start();
  const { email, authenticator, recoveryCodes } = await securedCustomer(before);
  const { database } = before;
  const SECRET_KEY = 'the-key-that-comes-after-the-first-one';

  {
    const env = { SECRET_KEY, SECRET_KEY_PREVIOUS: before.config.secretKey };
    await using during = await AuthApp.start({ database, env });
    expect((await loginWith(during, email, PASSWORD, recoveryCodes[0])).status).toBe(200);
    await new SecretRotation(during.get(DataSource), during.get(SecretBox)).run();
  }

  await using after = await AuthApp.start({ database, env: { SECRET_KEY } });
  after.clock.advance(before.clock.nowMs() - after.clock.nowMs());
  const { secret } = authenticator;
  expect((await loginWith(after, email, PASSWORD, new Authenticator(secret, after).code())).status).toBe(200);
  expect((await loginWith(after, email, PASSWORD, recoveryCodes[1])).status).toBe(200);
  expect((await loginWith(after, email, PASSWORD, recoveryCodes[0])).status).toBe(401);
});
