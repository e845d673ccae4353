import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SecretBox } from '#common';
import { OutgoingMail } from '#database';
import { generate } from '../support/api-keys.js';
import { ADMIN_KEY, ADMIN_PASSWORD, type AuthApp, PASSWORD } from '../support/auth-app.js';
import { enroll, loginWith, securedCustomer } from '../support/authenticator.js';
import { dumpOf, spellings } from '../support/dump.js';
import { eventually } from '../support/eventually.js';
import { locationOf, OidcBrowser } from '../support/oidc-browser.js';
import { OidcWorld } from '../support/oidc-world.js';

/** Nobody listens there, so mail waits in the database. */
const SMTP_URL = 'smtp://mailbox:the-password-of-the-mailbox@127.0.0.1:1';

/** The threat: a backup, or a query that should not have been possible, shows all of the database. */
describe('a dump of the database', () => {
  let world: OidcWorld;
  let secrets: Record<string, readonly string[]>;
  let dump: string;
  beforeAll(async () => {
    world = await OidcWorld.start({ env: { SMTP_URL, MAIL_FROM: 'Sluice <noreply@sluice.example>' } });
    secrets = {
      ...(await secretsOfCustomers(world.app)),
      ...(await secretsOfProvider(world)),
      'API key': [(await generate(world.app)).key],
      'token of a mailed link': await mailedTokens(world.app),
      'secret of the configuration': [
        ADMIN_KEY,
        ADMIN_PASSWORD,
        world.app.config.secretKey,
        world.app.config.jwtSecret,
        'the-password-of-the-mailbox',
      ],
    };
    dump = await dumpOf(world.app.get(DataSource));
  }, 30_000);
  afterAll(() => world[Symbol.asyncDispose]());

  it('holds what this test looks for, where it is no secret', () => {
    for (const text of ['@example.com', '$argon2id$', 'AWS-US-East-1-Ping-Worker']) {
      expect(dump).toContain(text);
    }
  });

  it.each([
    'user',
    'session WHERE tokens_sealed IS NOT NULL',
    'user_identity',
    'recovery_code',
    'one_time_token',
    'login_state',
    'api_key',
    'outgoing_mail',
  ])('is taken while there is something in %s', async (table) => {
    const from = table.replace(/^\w+/, '"$&"');
    expect(await world.app.get(DataSource).query(`SELECT 1 FROM ${from} LIMIT 1`)).toHaveLength(1);
  });

  it.each([
    ['session id', 3],
    ['password', 1],
    ['TOTP secret', 2],
    ['recovery code', 20],
    ['token of the provider', 3],
    ['secret of a sign-in under way', 3],
    ['API key', 1],
    ['token of a mailed link', 2],
    ['secret of the configuration', 5],
  ])('holds no %s in any spelling', (kind, atLeast) => {
    const texts = secrets[kind] ?? [];
    expect(texts.length).toBeGreaterThanOrEqual(atLeast);
    // Not the secrets themselves, since a failed test is a log.
    const found = texts.flatMap(spellings).filter((spelling) => dump.includes(spelling));
    expect(found.map((spelling) => spelling.slice(0, 4))).toEqual([]);
  });
});

/** Two factors, used and begun; and a reset of the password. */
async function secretsOfCustomers(app: AuthApp): Promise<Record<string, string[]>> {
  const customer = await securedCustomer(app);
  const again = await loginWith(app, customer.email, PASSWORD, customer.recoveryCodes[0]);
  const beginner = await app.register();
  const pending = await enroll(app, beginner.cookie);
  await app.send('POST', '/auth/password/forgot', { body: { email: beginner.email } });
  const cookies = [customer.cookie, again.cookie, beginner.cookie];
  return {
    'session id': cookies.map(valueOf),
    password: [PASSWORD],
    'TOTP secret': [customer.authenticator.secret, pending.secret],
    'recovery code': customer.recoveryCodes.flatMap((code) => [code, code.replaceAll('-', '')]),
  };
}

/** Somebody who is signed in, and somebody who is about to be. */
async function secretsOfProvider(world: OidcWorld): Promise<Record<string, string[]>> {
  const { cookie } = await world.signIn(world.person().subject);
  const browser = new OidcBrowser();
  const { searchParams } = new URL(locationOf(await world.begin(browser)));
  const bound = await browser.jar.getCookies(world.app.url);
  const underWay = [searchParams.get('state'), searchParams.get('nonce'), ...bound.map(({ value }) => value)];
  return {
    'token of the provider': [...world.provider.issued, valueOf(cookie)],
    'secret of a sign-in under way': underWay.filter((text) => text !== null),
  };
}

/** Those of the links in the mails that wait: one that verifies, and one that resets. */
async function mailedTokens(app: AuthApp): Promise<string[]> {
  const mails = await eventually(async () => {
    const waiting = await app.get(DataSource).getRepository(OutgoingMail).find();
    const opened = waiting.map(({ id, sealed }) => app.get(SecretBox).open(sealed, `mail:${id}`));
    expect(opened.some((mail) => mail.includes('/auth/password/reset?'))).toBe(true);
    return opened;
  });
  return [...new Set(mails.flatMap((mail) => mail.match(/(?<=[?]token=)[\w-]+/g) ?? []))];
}

function valueOf(cookie: string): string {
  return cookie.slice(cookie.indexOf('=') + 1);
}
