import { describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { User } from '#database';
import { ADMIN_EMAIL, ADMIN_PASSWORD, AuthApp } from '../../support/auth-app.js';

describe('the first admin', () => {
  it('can sign in after the first start', async () => {
    await using app = await AuthApp.start({ env: { ADMIN_EMAIL: 'Root@Example.com' } });
    expect(await app.login('root@example.com', ADMIN_PASSWORD)).toMatchObject({
      status: 200,
      body: { user: { email: 'root@example.com', role: 'admin', emailVerified: true }, slice: null },
    });
  });

  it('is made once, by whichever replica is first', async () => {
    await using app = await AuthApp.start();
    const users = app.get(DataSource).getRepository(User);
    await users.delete({ email: ADMIN_EMAIL });
    const replicas = await Promise.all(
      Array.from({ length: 3 }, () => AuthApp.start({ database: app.database })),
    );
    for (const replica of replicas) await replica[Symbol.asyncDispose]();
    expect(await users.countBy({ email: ADMIN_EMAIL })).toBe(1);
  });

  it('keeps the password that was chosen since', async () => {
    await using app = await AuthApp.start();
    await using again = await AuthApp.start({
      database: app.database,
      env: { ADMIN_PASSWORD: 'another password in the environment' },
    });
    expect((await again.login(ADMIN_EMAIL, ADMIN_PASSWORD)).status).toBe(200);
    expect((await again.login(ADMIN_EMAIL, 'another password in the environment')).status).toBe(401);
  });

  it('is not made of a customer who has that address already', async () => {
    await using app = await AuthApp.start();
    const { email } = await app.register();
    await using again = await AuthApp.start({ database: app.database, env: { ADMIN_EMAIL: email } });
    expect(await again.login(email)).toMatchObject({ status: 200, body: { user: { role: 'member' } } });
    expect((await again.login(email, ADMIN_PASSWORD)).status).toBe(401);
  });
});
