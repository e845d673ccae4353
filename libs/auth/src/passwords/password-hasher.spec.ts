import { describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { PasswordHasher, PasswordHasherOptions } from './password-hasher.js';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher(new PasswordHasherOptions());

  it('makes argon2id hashes with the parameters of OWASP, never the same twice', async () => {
    const [one, two] = await Promise.all([hasher.hash('secret'), hasher.hash('secret')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(two);
    expect(hasher.isOutdated(one)).toBe(false);
  });

  it('verifies the password and no other', async () => {
    const stored = await hasher.hash('secret');
    expect(await hasher.verify('secret', stored)).toBe(true);
    for (const other of ['Secret', 'secret ', '', 'secret\0']) {
      expect(await hasher.verify(other, stored)).toBe(false);
    }
  });

  it('verifies nothing without a hash, not even the password it then works on', async () => {
    expect(await hasher.verify('secret', null)).toBe(false);
    expect(await hasher.verify('nobody'.repeat(100), null)).toBe(false);
  });

  it('sees that a hash was made with other parameters', async () => {
    expect(hasher.isOutdated(await hash('secret', { memoryCost: 4096, timeCost: 2 }))).toBe(true);
    expect(hasher.isOutdated(await hash('secret', { memoryCost: 19_456, timeCost: 3 }))).toBe(true);
  });

  it('takes every hash that is not its own for outdated', async () => {
    const foreign = [
      await hash('secret', { algorithm: 1, memoryCost: 19_456, timeCost: 2 }),
      '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
      `$s3-sha256$c2FsdA$${'A'.repeat(43)}`,
      'whatever it is',
    ];
    expect(foreign.map((stored) => hasher.isOutdated(stored))).toEqual([true, true, true, true]);
  });

  it('matches nothing with a hash of an unknown kind', async () => {
    for (const stored of ['', 'secret', '$1$salt$qJH7.N4xYta3aEG/dfqo/0'])
      expect(await hasher.verify('secret', stored)).toBe(false);
  });

  it('turns callers away when the queue is full, and takes them again afterwards', async () => {
    const narrow = new PasswordHasher(
      Object.assign(new PasswordHasherOptions(), {
        concurrency: 1,
        queue: 2,
        suspects: 2,
      }),
    );
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, async () => narrow.verify('secret', null)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused[0]).toMatchObject({ code: 'LOGIN_BUSY', retryAfterSeconds: 2 });
    expect(await narrow.verify('secret', null)).toBe(false);
  });

  it('keeps room for others when networks whose last password was wrong come in numbers', async () => {
    const narrow = new PasswordHasher(
      Object.assign(new PasswordHasherOptions(), {
        concurrency: 1,
        queue: 2,
        suspects: 1,
      }),
    );
    const stored = await narrow.hash('secret');
    await narrow.verify('wrong', stored, 'suspect');
    const from = (network: string) => narrow.verify('secret', stored, network);
    const [running, waiting, refused, other] = [
      from('suspect'),
      from('suspect'),
      from('suspect'),
      from('other'),
    ];
    await expect(refused).rejects.toMatchObject({ code: 'LOGIN_BUSY' });
    expect(await Promise.all([running, waiting, other])).toEqual([true, true, true]);
  });
});
