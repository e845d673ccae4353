import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hash as argon2 } from '@node-rs/argon2';
import { genSalt, hash as bcrypt } from 'bcrypt';
import { kindOfHash, s3HashOf, verifyHash } from './foreign-hashes.js';

describe('verifyHash', () => {
  it.each(['2a', '2b', '2y'] as const)('verifies bcrypt as $%s$', async (version) => {
    const made = await bcrypt('пароль 🔑', await genSalt(4, version === '2a' ? 'a' : 'b'));
    const stored = made.replace(/^\$2[ab]/, `$${version}`);
    expect(kindOfHash(stored)).toBe('bcrypt');
    expect(await verifyHash('пароль 🔑', stored)).toBe(true);
    expect(await verifyHash('пароль', stored)).toBe(false);
  });

  it('verifies a bcrypt hash of another implementation', async () => {
    // From the test vectors of Openwall's crypt_blowfish.
    const stored = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    expect(await verifyHash('U*U', stored)).toBe(true);
    expect(await verifyHash('U*U*', stored)).toBe(false);
  });

  it('verifies the salted SHA-256 of S3 as its Worker made it', async () => {
    for (const salt of ['a-salt', '', 'sält $ 🧂']) {
      const made = createHash('sha256').update(`${salt}correct horse`).digest('base64');
      const stored = s3HashOf(salt, made) ?? '';
      expect(kindOfHash(stored)).toBe('s3-sha256');
      expect(await verifyHash('correct horse', stored)).toBe(true);
      expect(await verifyHash('correct horses', stored)).toBe(false);
      expect(await verifyHash('', stored)).toBe(false);
    }
  });

  it('verifies argon2 of any make', async () => {
    for (const algorithm of [0, 1, 2]) {
      const stored = await argon2('secret', { algorithm, memoryCost: 1024 });
      expect(kindOfHash(stored)).toBe('argon2');
      expect(await verifyHash('secret', stored)).toBe(true);
      expect(await verifyHash('Secret', stored)).toBe(false);
    }
  });

  it.each([
    ['nothing', ''],
    ['a password in clear', 'secret'],
    ['MD5', '5ebe2294ecd0e0f08eab7690d2a6ee69'],
    ['md5crypt', '$1$salt$qJH7.N4xYta3aEG/dfqo/0'],
    [
      'sha512crypt',
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1',
    ],
    [
      'a PHC string of another kind',
      '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    ],
    ['argon2 that is cut off', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ'],
    [
      'argon2 that would take 4 GiB',
      '$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$5ObTS9ZzKHMPHpZIHYxMuQ',
    ],
    [
      'argon2 of a thousand passes',
      '$argon2id$v=19$m=19456,t=1000,p=1$c29tZXNhbHRzb21lc2FsdA$5ObTS9ZzKHMPHpZIHYxMuQ',
    ],
    ['bcrypt that is cut off', '$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe'],
    ['bcrypt that would take days', '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['SHA-256 of another length', '$s3-sha256$c2FsdA$c2hvcnQ'],
  ])('matches nothing with %s, and does not throw', async (_what, stored) => {
    expect(kindOfHash(stored)).toBe('unknown');
    for (const password of ['secret', '', stored]) expect(await verifyHash(password, stored)).toBe(false);
  });

  it('refuses a hash of S3 that is none', () => {
    for (const hash of ['', 'abc', '!'.repeat(44), Buffer.alloc(31).toString('base64')])
      expect(s3HashOf('salt', hash)).toBeNull();
  });
});
