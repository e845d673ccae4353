import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { LoginStates, newSessionId, hashSessionId, SessionStore } from '#auth';
import { SecretBox } from '#common';
import { ConfigError } from '#config';
import { OutgoingMail, SEALED_COLUMNS, SecretRotation } from '#database';
import { generate, listed, type MadeKey, work, WorkProbe } from '../../support/api-keys.js';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';
import { Authenticator, type Enrolled, loginWith, securedCustomer } from '../../support/authenticator.js';

const OLD = { SECRET_KEY: 'the secret key of before, long enough' };
const ROTATING = {
  SECRET_KEY: 'the secret key from now on, long enough',
  SECRET_KEY_PREVIOUS: OLD.SECRET_KEY,
};
const NEW = { SECRET_KEY: ROTATING.SECRET_KEY };

/** Nobody listens there, so mail waits. */
const SMTP_URL = 'smtp://127.0.0.1:1';

const tokens = {
  accessToken: 'access',
  refreshToken: 'refresh',
  idToken: null,
  obtainedAtMs: 1,
  accessExpiresAtMs: null,
  scope: null,
};

interface Kept {
  readonly apiKey: MadeKey;
  readonly customer: Enrolled;
  readonly sessionHash: string;
}

let old: AuthApp;
let kept: Kept;
beforeEach(async () => {
  old = await AuthApp.start({ controllers: [WorkProbe], env: { ...OLD, SMTP_URL } });
  kept = await keepSecrets(old);
});
afterEach(() => old[Symbol.asyncDispose]());

/** One secret of each kind. */
async function keepSecrets(app: AuthApp): Promise<Kept> {
  const customer = await securedCustomer(app);
  const apiKey = await generate(app);
  const { body } = await app.register();
  const sessionHash = hashSessionId(newSessionId());
  await app.get(SessionStore).create({
    hash: sessionHash,
    userId: body.user.id,
    kind: 'oidc',
    subject: 'sub',
    tokens,
    ip: '127.0.0.1',
    userAgent: null,
  });
  await app.get(LoginStates).put(hashSessionId('state'), 'record', 600_000);
  return { apiKey, customer, sessionHash };
}

/** Another gateway on the same database, at the same time of day. */
async function replica(env: NodeJS.ProcessEnv): Promise<AuthApp> {
  const app = await AuthApp.start({
    controllers: [WorkProbe],
    env: { SMTP_URL, ...env },
    database: old.database,
  });
  app.clock.advance(old.clock.nowMs() - app.clock.nowMs());
  return app;
}

/** Sees to it that a gateway can read each of the secrets. */
async function expectAllOf({ apiKey, customer, sessionHash }: Kept, app: AuthApp): Promise<void> {
  expect((await work(app, apiKey.key)).status).toBe(200);
  expect(await listed(app)).toMatchObject([{ key_preview: expect.stringContaining(apiKey.key.slice(-6)) }]);
  app.clock.advance(60_000);
  const code = new Authenticator(customer.authenticator.secret, app).code();
  expect((await loginWith(app, customer.email, PASSWORD, code)).status).toBe(200);
  expect(await app.get(SessionStore).tokensOf(sessionHash)).toEqual(tokens);
  expect(await app.get(LoginStates).take(hashSessionId('state'))).toBe('record');
  const box = app.get(SecretBox);
  const mails = await app.get(DataSource).getRepository(OutgoingMail).find();
  expect(mails.length).toBeGreaterThan(0);
  for (const { id, sealed } of mails) expect(box.open(sealed, `mail:${id}`)).toContain('@example.com');
}

describe('the sealed columns', () => {
  it('are all known to the rotation: a new one has to be, too', async () => {
    const found = await old.get(DataSource).query<{ name: string }[]>(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'bytea' AND column_name ~ '(^|_)sealed$'`,
    );
    const known = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
    expect(known.toSorted()).toEqual(found.map(({ name }) => name).toSorted());
  });
});

describe('while SECRET_KEY is being rotated', () => {
  it('a gateway with both keys reads everything', async () => {
    await using app = await replica(ROTATING);
    await expectAllOf(kept, app);
  });

  it('an API key is found whichever secret its hash was made with', async () => {
    await using app = await replica(ROTATING);
    const later = await generate(app);
    expect((await work(app, kept.apiKey.key)).status).toBe(200);
    expect((await work(app, later.key)).status).toBe(200);
  });
});

describe('the rotation', () => {
  it('seals everything with the current key, and changes no secret', async () => {
    await using app = await replica(ROTATING);
    const { parts, complete } = await app.get(SecretRotation).run();
    expect(complete).toBe(true);
    const resealed = parts.filter((part) => part.resealed > 0).map(({ name }) => name);
    expect(resealed.toSorted()).toEqual([
      'api_key.key_sealed',
      'login_state.sealed',
      'outgoing_mail.sealed',
      'session.tokens_sealed',
      'user.totp_secret_sealed',
    ]);
    await using after = await replica(NEW);
    await expectAllOf(kept, after);
  });

  it('has nothing to do when it is run again', async () => {
    await using app = await replica(ROTATING);
    await app.get(SecretRotation).run();
    const { parts, complete } = await app.get(SecretRotation).run();
    expect({ complete, work: parts.filter((part) => part.resealed > 0) }).toEqual({
      complete: true,
      work: [],
    });
  });

  it('can be run twice at once', async () => {
    for (let i = 0; i < 20; i++) await generate(old);
    await using app = await replica(ROTATING);
    const rotations = await Promise.all([1, 2].map(() => app.get(SecretRotation).run()));
    expect(rotations.map(({ complete }) => complete)).toEqual([true, true]);
    const resealed = rotations.flatMap(({ parts }) =>
      parts.filter(({ name }) => name === 'api_key.key_sealed').map((part) => part.resealed),
    );
    expect(resealed.reduce((a, b) => a + b)).toBe(21);
    await using after = await replica(NEW);
    expect((await work(after, kept.apiKey.key)).status).toBe(200);
  });

  it('refuses two keys of which neither is that of the installation, even with nothing sealed', async () => {
    await using app = await AuthApp.start({ env: { ...ROTATING, SMTP_URL } });
    const dataSource = app.get(DataSource);
    const checkOf = async () => {
      const [row] = await dataSource.query<[{ id: string; check: Buffer }]>(
        'SELECT id, secret_check AS check FROM installation',
      );
      return row;
    };
    const { id } = await checkOf();
    const stored = new SecretBox('the key that all gateways have').mac('installation', id);
    await dataSource.query('UPDATE installation SET secret_check = $1', [stored]);
    await expect(app.get(SecretRotation).run()).rejects.toThrow(ConfigError);
    expect((await checkOf()).check).toEqual(stored);
  });

  it('leaves what neither key opens as it is, says so, and is not complete', async () => {
    await using app = await replica({
      SECRET_KEY: ROTATING.SECRET_KEY,
      SECRET_KEY_PREVIOUS: 'a secret key that was never in force',
    });
    const { parts, complete } = await app.get(SecretRotation).run();
    expect(complete).toBe(false);
    expect(parts.find(({ name }) => name === 'api_key.key_sealed')).toEqual({
      name: 'api_key.key_sealed',
      resealed: 0,
      unreadable: 1,
    });
    expect((await work(old, kept.apiKey.key)).status).toBe(200);
  });
});
