import { describe, expect, it } from '@jest/globals';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery-codes.js';

describe('recovery codes', () => {
  it('are ten, of 16 characters that nobody mistakes for one another', () => {
    const codes = Array.from({ length: 200 }, newRecoveryCodes).flat();
    expect(codes).toHaveLength(2000);
    expect(new Set(codes).size).toBe(2000);
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
    // Each of the 32 characters stands at each place: 80 bits.
    for (let place = 0; place < 19; place++) {
      const seen = new Set(codes.map((code) => code[place]));
      expect(seen.size).toBe(place % 5 === 4 ? 1 : 32);
    }
  });

  it.each([
    '7k2m-9x0a-1bcd-efgh',
    '7K2M9X0A1BCDEFGH',
    ' 7k2m 9x0a 1bcd efgh ',
    '7k2m-9xOa-lbcd-efgh',
    '7k2m-9xoa-Ibcd-efgh',
  ])('are the same however they are typed: %s', (typed) => {
    expect(hashOfRecoveryCode(typed, 'secret')).toEqual(hashOfRecoveryCode('7k2m9x0a1bcdefgh', 'secret'));
  });

  it('are stored as 256 bits that depend on the account’s own secret', () => {
    const [one, other] = ['JBSWY3DP', 'JBSWY3DQ'].map((secret) =>
      hashOfRecoveryCode('7k2m-9x0a-1bcd-efgh', secret),
    );
    expect(one).toHaveLength(32);
    expect(one).not.toEqual(other);
    expect(one).not.toEqual(hashOfRecoveryCode('7k2m-9x0a-1bcd-efgj', 'JBSWY3DP'));
  });
});
