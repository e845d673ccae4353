import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Authenticator } from '#auth';
import { generate, type MadeKey, work, WorkProbe } from '../support/api-keys.js';
import { AuthApp } from '../support/auth-app.js';

const MUTATIONS = 10_000;
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('an API key', () => {
  let app: AuthApp;
  let made: MadeKey;
  beforeAll(async () => {
    app = await AuthApp.start({ controllers: [WorkProbe] });
    made = await generate(app);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('is accepted by no other text that looks like it', async () => {
    const authenticator = app.get(Authenticator);
    const accepts = async (key: string) =>
      (await authenticator.authenticateApiKey({ authorization: `Bearer ${key}` })) !== null;
    expect(await accepts(made.key)).toBe(true);
    for (let i = 0; i < MUTATIONS; i++) {
      const mutated = mutate(made.key);
      expect({ mutated, accepted: await accepts(mutated) }).toEqual({ mutated, accepted: false });
    }
  }, 90_000);

  it.each([
    ['its head', (key: string) => key.slice(0, -1)],
    ['itself and more', (key: string) => `${key}A`],
    ['another case', (key: string) => key.toUpperCase()],
    ['padding', (key: string) => `${key}=`],
    ['another prefix', (key: string) => key.replace('slu_', 'slv_')],
    ['none of it', () => ''],
  ])('is not given by %s', async (_what, change) => {
    expect((await work(app, change(made.key))).status).toBe(401);
  });

  it('is not made by whoever puts the hash of one beside another', async () => {
    const [revoked, other] = [await generate(app), await generate(app)];
    const dataSource = app.get(DataSource);
    const [{ mac }] = await dataSource.query<[{ mac: Buffer }]>(
      'SELECT key_mac AS mac FROM api_key WHERE id = $1',
      [revoked.id],
    );
    await dataSource.query('DELETE FROM api_key WHERE id = $1', [revoked.id]);
    await dataSource.query('UPDATE api_key SET key_mac = $2 WHERE id = $1', [other.id, mac]);
    expect((await work(app, revoked.key)).status).toBe(401);
  });
});

/** Another key of the same form: one to three of its characters changed. */
function mutate(key: string): string {
  const characters = key.split('');
  const place = () => randomInt('slu_'.length, key.length);
  do {
    for (let i = randomInt(1, 4); i > 0; i--) {
      characters[place()] = CHARACTERS.charAt(randomInt(CHARACTERS.length));
    }
  } while (characters.join('') === key);
  return characters.join('');
}
