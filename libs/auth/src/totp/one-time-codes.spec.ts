import { describe, expect, it } from '@jest/globals';
import { isOneTimeCode, newTotpSecret, normalizeCode, otpauthUrl, stepOfCode } from './one-time-codes.js';

/** `12345678901234567890` in base32: the secret of RFC 6238, Appendix B. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('a code of an authenticator app', () => {
  // Appendix B has eight digits; with six they are the last six (RFC 4226 §5.3).
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('is RFC 6238’s at %i seconds', (seconds, code) => {
    expect(stepOfCode(code, SECRET, seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it('counts in its own step and in the one on each side, to the millisecond', () => {
    const [begin, code] = [1_234_567_890_000, '005924']; // the first millisecond of its step
    const accepted = (ms: number) => stepOfCode(code, SECRET, ms) !== null;
    expect([begin - 30_001, begin - 30_000, begin + 59_999, begin + 60_000].map(accepted)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each(['', '28708', '2870820', 'abcdef', '28708２', ' 287082', '+87082', '287.82'])(
    'is not %j',
    (text) => {
      expect(isOneTimeCode(text)).toBe(false);
      expect(stepOfCode(text, SECRET, 59_000)).toBeNull();
    },
  );

  it('may be typed with blanks', () => {
    expect(normalizeCode(' 287\u00a0 082\n')).toBe('287082');
  });
});

describe('a new secret', () => {
  it('has 160 bits, and is another each time', () => {
    const secrets = Array.from({ length: 100 }, newTotpSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('is scanned from a URL that no address can break out of', () => {
    const url = new URL(otpauthUrl(SECRET, 'app.example.com', 'a&secret=x#:/?@example.com'));
    expect(url.searchParams.getAll('secret')).toEqual([SECRET]);
    expect(decodeURIComponent(url.pathname)).toBe('/app.example.com:a&secret=x#:/?@example.com');
  });
});
