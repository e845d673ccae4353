import { describe, expect, it } from '@jest/globals';
import { parseFileName } from '../src/files/file-name.ts';

describe('the name of a file', () => {
  it.each([
    'report.pdf',
    'Rechnung März #1 (100%).txt',
    '日本語.png',
    'a'.repeat(255),
    '-rf',
    'x..y',
    '__proto__',
  ])('may be %p', (name) => {
    expect(parseFileName(name)).toBe(name);
  });

  it.each([
    '',
    '.',
    '..',
    '.env',
    '../x',
    'a/../b',
    '/etc/passwd',
    String.raw`..\x`,
    'C:x',
    'a\0.txt',
    'a\nb',
    'é'.repeat(128),
  ])('may not be %p', (name) => {
    expect(() => parseFileName(name)).toThrow(
      expect.objectContaining({ status: 400, code: 'VALIDATION_FAILED' }),
    );
  });

  it('is the same however the system composes its letters', () => {
    expect(parseFileName('Ma\u0308rz.txt')).toBe('M\u00e4rz.txt');
  });
});
