import { describe, expect, it } from '@jest/globals';
import { sameSecret } from './constant-time.js';

describe('two secrets', () => {
  it.each([
    ['', '', true],
    ['secret', 'secret', true],
    ['secret', 'Secret', false],
    ['secret', 'secret ', false],
    ['secret', '', false],
    ['secret', 'secretsecret', false],
    ['gehe\u00eem', 'gehei\u0302m', false],
  ])('%j and %j are the same: %s', (a, b, same) => {
    expect(sameSecret(a, b)).toBe(same);
  });
});
