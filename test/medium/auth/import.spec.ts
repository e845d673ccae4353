import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hash as bcrypt } from 'bcrypt';
import { DataSource } from 'typeorm';
import { type ImportOptions, type ImportReport, recordsOfFile, UserFileFault, UserImport } from '#auth';
import { Clock } from '#common';
import { Transactions, User } from '#database';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';
import { soak } from '../../support/soak.js';

let app: AuthApp;
let folder: string;

beforeAll(async () => {
  app = await AuthApp.start();
  folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
});
afterEach(async () => {
  await users().delete({ role: 'member' });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const users = () => app.get(DataSource).getRepository(User);

async function run(
  name: string,
  content: string,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  const file = join(folder, name);
  await writeFile(file, content);
  const importer = new UserImport(app.get(Transactions), app.get(Clock));
  return importer.run(() => recordsOfFile(file), { skipFaulty: false, allowRoles: false, ...options });
}

const csv = (lines: string[], options?: Partial<ImportOptions>): Promise<ImportReport> =>
  run('users.csv', `${lines.join('\n')}\n`, options);

describe('an import of users', () => {
  it('takes them with hashes of three kinds, by which they sign in', async () => {
    const digest = createHash('sha256').update(`s,alt${PASSWORD}`).digest('base64');
    const report = await csv([
      'email,name,password_hash,salt,hash,role,email_verified',
      `Ada@Example.com,"Lovelace, Ada",${await bcrypt(PASSWORD, 4)},,,,true`,
      `grace@example.com,,,"s,alt",${digest},member,no`,
      'linus@example.com,Linus,,,,,',
    ]);
    expect(report).toEqual({ imported: 3, existing: [], faults: [] });
    expect(await app.login('ada@example.com')).toMatchObject({
      status: 200,
      body: { user: { name: 'Lovelace, Ada', role: 'member', emailVerified: true } },
    });
    expect(await app.login('grace@example.com')).toMatchObject({
      status: 200,
      body: { user: { name: null, emailVerified: false } },
    });
    for (const email of ['ada@example.com', 'grace@example.com'])
      expect((await users().findOneByOrFail({ email })).passwordHash).toMatch(/^\$argon2id\$/);
    expect((await app.login('linus@example.com', '')).status).toBe(401);
  });

  it('tells every fault with its line, and then imports nobody', async () => {
    const report = await csv([
      'email,password_hash,salt,hash,role,email_verified',
      'ada@example.com,,,,,',
      'nobody,,,,,',
      'a@example.com,5ebe2294ecd0e0f08eab7690d2a6ee69,,,,',
      'b@example.com,,salt,,,maybe',
      'c@example.com,,salt,short,,',
      'd@example.com,,,,admin,',
      'e@example.com,,,,owner,',
      'ADA@example.com,,,,,',
      'f@example.com,,,',
      '',
      'g@example.com,,,,,',
    ]);
    expect(report.imported).toBe(0);
    expect(report.faults.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '3 email must be an e-mail address',
      expect.stringMatching(/^4 password_hash is no hash/),
      expect.stringMatching(/^5 email_verified /),
      expect.stringMatching(/^6 hash must be base64/),
      '7 role admin needs --allow-roles',
      '8 role must be member or admin',
      '9 email ada@example.com stands in line 2 already',
      '10 has another number of fields than the header',
    ]);
    expect(await users().countBy({ role: 'member' })).toBe(0);
  });

  it('imports the others when faulty ones are to be skipped', async () => {
    const report = await csv(['email', 'a@example.com', 'nobody', 'b@example.com'], { skipFaulty: true });
    expect(report).toMatchObject({ imported: 2, faults: [{ line: 3 }] });
    expect(await users().countBy({ role: 'member' })).toBe(2);
  });

  it('gives a role only where that is allowed', async () => {
    const lines = ['email,role', 'root@example.com,admin'];
    expect((await csv(lines)).imported).toBe(0);
    expect((await csv(lines, { allowRoles: true })).imported).toBe(1);
    expect((await users().findOneByOrFail({ email: 'root@example.com' })).role).toBe('admin');
    await users().delete({ email: 'root@example.com' });
  });

  it('leaves whoever has an account as they are, so that it can be run again', async () => {
    const { email } = await app.register();
    const lines = ['email,name', `${email},Somebody else`, 'new@example.com,New'];
    expect(await csv(lines)).toEqual({ imported: 1, existing: [{ line: 2, email }], faults: [] });
    expect(await users().findOneByOrFail({ email })).toMatchObject({ name: null });
    expect((await app.login(email)).status).toBe(200);
    const again = await csv(lines);
    expect(again.imported).toBe(0);
    expect(again.existing.map((each) => each.line)).toEqual([2, 3]);
  });

  it('takes a JSON file as well', async () => {
    const entries = [
      { email: 'a@example.com', email_verified: true, name: null },
      {
        email: 'b@example.com',
        salt: 's',
        hash: createHash('sha256').update(`s${PASSWORD}`).digest('base64'),
      },
    ];
    expect(await run('users.json', JSON.stringify(entries))).toMatchObject({ imported: 2, faults: [] });
    expect((await app.login('b@example.com')).status).toBe(200);
    const faulty = await run(
      'users.json',
      JSON.stringify([{ email: 'c@example.com', admin: true }, 'x', []]),
    );
    expect(faulty.faults.map(({ line }) => line)).toEqual([1, 2, 3]);
  });

  it.each([
    ['a column that nobody knows', 'users.csv', 'email,emial_verified\n', /unknown column "emial_verified"/],
    ['no e-mail column', 'users.csv', 'name\nAda\n', /email among them/],
    ['a quotation mark that is never closed', 'users.csv', 'email\n"a@example.com\n', /quote/i],
    ['JSON that is none', 'users.json', '[{', /not valid JSON/],
    ['JSON without a list', 'users.json', '{}', /a list/],
  ])('refuses a file with %s', async (_what, name, content, message) => {
    const refused = run(name, content);
    await expect(refused).rejects.toThrow(UserFileFault);
    await expect(refused).rejects.toThrow(message);
  });

  it('takes many in batches', async () => {
    const count = soak(100_000, 2_100);
    const lines = Array.from({ length: count }, (_, i) => `user-${i}@example.com`);
    expect((await csv(['email', ...lines])).imported).toBe(count);
    expect(await users().countBy({ role: 'member' })).toBe(count);
  }, 120_000);
});
