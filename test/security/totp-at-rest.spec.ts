import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { AuthApp, PASSWORD } from '../support/auth-app.js';
import { type Enrolled, enroll, loginWith, securedCustomer } from '../support/authenticator.js';

/** The threat: a backup, or a query that should not have been possible, shows all of the database. */
describe('a dump of the database', () => {
  let app: AuthApp;
  let customer: Enrolled;
  let pending: string;
  let dump: string;
  beforeAll(async () => {
    app = await AuthApp.start();
    customer = await securedCustomer(app);
    await loginWith(app, customer.email, PASSWORD, customer.recoveryCodes[0]);
    pending = (await enroll(app, (await app.register()).cookie)).secret;
    dump = await textOfAllTables(app.get(DataSource));
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('holds what this test looks for, where it is no secret', () => {
    expect(dump).toContain(customer.email);
    expect(dump).toContain('$argon2id$');
  });

  it('holds no TOTP secret, confirmed or not, in any spelling', () => {
    for (const secret of [customer.authenticator.secret, pending]) {
      for (const spelling of spellings(secret)) expect(dump).not.toContain(spelling);
    }
  });

  it('holds no recovery code in any spelling', () => {
    for (const code of customer.recoveryCodes) {
      for (const text of [code, code.replaceAll('-', '')]) {
        for (const spelling of spellings(text)) expect(dump).not.toContain(spelling);
      }
    }
  });
});

function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, secret.toLowerCase(), bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
}

async function textOfAllTables(dataSource: DataSource): Promise<string> {
  const tables = await dataSource.query<Array<{ name: string }>>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      dataSource.query<Array<{ row: string }>>(`SELECT t::text AS row FROM ${name} t`),
    ),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}
