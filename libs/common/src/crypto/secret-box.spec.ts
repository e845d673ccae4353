import { describe, expect, it } from '@jest/globals';
import { SecretBox } from './secret-box.js';

const box = new SecretBox('a secret key of the tests, long enough');
const CONTEXT = 'slice:7:env';

describe('a sealed secret', () => {
  it.each(['', 'text', 'ünï©ödé \u{1F512}', 'with\0NUL', 'x'.repeat(100_000)])(
    'opens as what it was: %.20j',
    (text) => {
      expect(box.open(box.seal(text, CONTEXT), CONTEXT)).toBe(text);
    },
  );

  it('opens in another process that has the same key', () => {
    const other = new SecretBox('a secret key of the tests, long enough');
    expect(other.open(box.seal('text', CONTEXT), CONTEXT)).toBe('text');
  });

  it('looks different each time, and shows nothing of the text but its length', () => {
    const [first, second] = [box.seal('text', CONTEXT), box.seal('text', CONTEXT)];
    expect(first.equals(second)).toBe(false);
    expect(first.includes('text')).toBe(false);
    expect(first.length).toBe(1 + 4 + 12 + 16 + 4);
  });

  it('does not open when any one bit of it was changed', () => {
    const sealed = box.seal('text', CONTEXT);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const tampered = Buffer.from(sealed);
      tampered[bit >> 3] = (tampered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => box.open(tampered, CONTEXT)).toThrow();
    }
  });

  it.each(['text', ''])('does not open when it was cut off or added to: %j', (text) => {
    const sealed = box.seal(text, CONTEXT);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => box.open(sealed.subarray(0, length), CONTEXT)).toThrow();
    }
    expect(() => box.open(Buffer.concat([sealed, Buffer.of(0)]), CONTEXT)).toThrow();
  });

  it.each(['slice:8:env', 'slice:7:db', 'slice:7:env ', ''])(
    'does not open where it was moved to: %j',
    (elsewhere) => {
      const sealed = box.seal('text', CONTEXT);
      expect(() => box.open(sealed, elsewhere)).toThrow();
    },
  );

  it('does not open with another key', () => {
    const sealed = box.seal('text', CONTEXT);
    expect(() => new SecretBox('a secret key of the tests, long enougH').open(sealed, CONTEXT)).toThrow();
  });
});

describe('a secret key that is being rotated', () => {
  const old = new SecretBox('the secret key before this one');
  const rotating = new SecretBox('the secret key from now on', 'the secret key before this one');
  const rotated = new SecretBox('the secret key from now on');
  /** Sealed by a gateway from before there were key ids. */
  const version1 = Buffer.from('Ab3cyB1/ag2D5gg8MqDnUz3kQv/utAxyEYi/VDeR4KyuqA8cdvT+Ohokoug=', 'base64');

  it('is still opened with, and no longer sealed with', () => {
    expect(rotating.open(old.seal('text', CONTEXT), CONTEXT)).toBe('text');
    const anew = rotating.seal('text', CONTEXT);
    expect(rotated.open(anew, CONTEXT)).toBe('text');
    expect(() => old.open(anew, CONTEXT)).toThrow('unknown key');
    expect(() => rotated.open(old.seal('text', CONTEXT), CONTEXT)).toThrow('unknown key');
  });

  it('opens what was sealed before there were key ids', () => {
    expect(old.open(version1, CONTEXT)).toBe('sealed long ago');
    expect(rotating.open(version1, CONTEXT)).toBe('sealed long ago');
    expect(() => rotated.open(version1, CONTEXT)).toThrow();
    expect(() => rotating.open(version1, 'slice:8:env')).toThrow();
  });

  it('is told by how a sealed value begins', () => {
    const begins = (sealed: Buffer) => sealed.subarray(0, 5).equals(rotating.currentPrefix);
    expect(begins(rotating.seal('text', CONTEXT))).toBe(true);
    expect(begins(old.seal('text', CONTEXT))).toBe(false);
    expect(begins(version1)).toBe(false);
  });

  it('finds by keyed hashes what either key has made', () => {
    expect(rotating.macs('purpose', 'value')).toEqual([
      rotated.mac('purpose', 'value'),
      old.mac('purpose', 'value'),
    ]);
    expect(rotating.mac('purpose', 'value')).toEqual(rotated.mac('purpose', 'value'));
  });
});

describe('a keyed hash', () => {
  it('is the same for the same, and another for another value, purpose or key', () => {
    const hash = box.mac('purpose', 'value');
    expect(hash).toHaveLength(32);
    expect(box.mac('purpose', 'value').equals(hash)).toBe(true);
    expect(box.mac('purpose', 'valuE').equals(hash)).toBe(false);
    expect(box.mac('purposE', 'value').equals(hash)).toBe(false);
    expect(new SecretBox('another').mac('purpose', 'value').equals(hash)).toBe(false);
  });
});
