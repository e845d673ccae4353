import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { User } from '#database';
import { AuthApp } from '../support/auth-app.js';
import { soak } from '../support/soak.js';

/** Neither the answer nor its time may tell whether somebody has an account. */
describe('a failed sign-in', () => {
  let app: AuthApp;
  let known: string;
  let withoutPassword: string;
  beforeAll(async () => {
    app = await AuthApp.start();
    known = (await app.register()).email;
    const passwordless = await app.register();
    withoutPassword = passwordless.email;
    const users = app.get(DataSource).getRepository(User);
    await users.update({ id: passwordless.body.user.id }, { passwordHash: null });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('says the same of an unknown address, a wrong password and an account without one', async () => {
    const said = [];
    for (const email of [known, 'nobody@example.com', withoutPassword]) {
      const { status, headers, body } = await app.login(email, 'wrong password');
      said.push({
        status,
        names: [...headers.keys()].toSorted(),
        length: headers.get('content-length'),
        body: { ...body, requestId: '', timestamp: '' },
      });
    }
    expect(said[0]).toMatchObject({ status: 401, body: { code: 'INVALID_CREDENTIALS' } });
    expect(said[1]).toEqual(said[0]);
    expect(said[2]).toEqual(said[0]);
  });

  it('takes the same time', async () => {
    const emails = [known, 'nobody@example.com', withoutPassword];
    const times = emails.map((): number[] => []);
    // Interleaved, so that whatever else the machine does hits all of them alike.
    for (let round = 0; round < soak(100, 15); round++) {
      for (const [i, email] of emails.entries()) {
        const start = performance.now();
        await app.login(email, 'wrong password');
        times[i]?.push(performance.now() - start);
      }
    }
    const [wrong = 0, unknown = 0, passwordless = 0] = times.map(median);
    // Without a hash to verify an answer takes about a tenth of the time.
    for (const other of [unknown, passwordless]) {
      expect(other / wrong).toBeGreaterThan(0.5);
      expect(other / wrong).toBeLessThan(2);
    }
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
