import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { User } from '#database';
import { type Answer, AuthApp } from '../support/auth-app.js';
import { soak } from '../support/soak.js';
import { tellable } from '../support/timing.js';

const TRIES = soak(500, 60);

/** Neither the answer nor its time may tell whether somebody has an account. */
describe('a failed sign-in', () => {
  let app: AuthApp;
  let known: string;
  let withoutPassword: string;
  let withForeignHash: string;
  beforeAll(async () => {
    app = await AuthApp.start({
      realPasswords: true,
      env: { TRUST_PROXY: '127.0.0.1' },
      // Every try comes from a network of its own; the slow-down of an account, which is the same for all, would take hours.
      limits: { perAddress: 10, loginsPerAccountAndNetwork: 10 },
    });
    known = (await app.register()).email;
    withoutPassword = await customerWith(null);
    withForeignHash = await customerWith(`$s3-sha256$c2FsdA$${'A'.repeat(43)}`);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  async function customerWith(passwordHash: string | null): Promise<string> {
    const { email, body } = await app.register();
    await app.get(DataSource).getRepository(User).update({ id: body.user.id }, { passwordHash });
    return email;
  }

  let clients = 0;
  function attempt(email: string): Promise<Answer> {
    const n = clients++;
    const address = `10.${n >> 8}.${n & 255}.1`;
    return app.login(email, 'wrong password', { 'x-forwarded-for': address });
  }

  it('says the same, byte by byte, whatever there is of an account', async () => {
    const said = [];
    for (const email of [known, 'nobody@example.com', withoutPassword, withForeignHash]) {
      const { status, headers, body } = await attempt(email);
      said.push({
        status,
        names: [...headers.keys()].toSorted((a, b) => a.localeCompare(b)),
        length: headers.get('content-length'),
        body: JSON.stringify({ ...body, requestId: '', timestamp: '' }),
      });
    }
    expect(said[0]).toMatchObject({ status: 401 });
    expect(JSON.parse(said[0]?.body ?? '')).toMatchObject({ code: 'INVALID_CREDENTIALS' });
    for (const other of said) expect(other).toEqual(said[0]);
  });

  it.each([
    ['an unknown address', () => 'nobody@example.com'],
    ['an account without a password', () => withoutPassword],
    ['an account whose hash costs nothing to verify', () => withForeignHash],
  ])(
    'takes for %s the time that a wrong password takes',
    async (_whose, email) => {
      const wrong = await tellable(
        TRIES,
        () => attempt(known),
        () => attempt(email()),
      );
      expect(wrong).toBe(false);
    },
    120_000,
  );

  it('would be told by its time if it hashed nothing', async () => {
    const endpoints = await tellable(
      20,
      () => attempt(known),
      () => app.send('POST', '/auth/login', { body: {} }),
    );
    expect(endpoints).toBe(true);
  });
});
