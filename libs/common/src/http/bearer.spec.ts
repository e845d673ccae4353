import { describe, expect, it } from '@jest/globals';
import { bearerToken } from './bearer.js';

describe('The token of an Authorization header', () => {
  it.each([
    ['one space', 'Bearer abc'],
    ['several spaces', 'Bearer   abc'],
    ['a tab', 'Bearer\tabc'],
    ['another case', 'bEARER abc'],
    ['blanks behind it', 'Bearer abc \t'],
  ])('is found after %s', (_name, header) => {
    expect(bearerToken(header)).toBe('abc');
  });

  it.each([
    ['no header', undefined],
    ['another scheme', 'Basic abc'],
    ['no separator', 'Bearerabc'],
    ['no token', 'Bearer '],
    ['two tokens', 'Bearer abc def'],
  ])('is not there with %s', (_name, header) => {
    expect(bearerToken(header)).toBeUndefined();
  });
});
