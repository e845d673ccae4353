import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { errorCode } from './error-code.js';

describe('the code of an error', () => {
  it.each([
    ['an error of Node', Object.assign(new Error('gone'), { code: 'ENOENT' }), 'ENOENT'],
    ['an error of another realm', runInNewContext("Object.assign(new Error(), { code: '23505' })"), '23505'],
    ['an error without one', new Error('plain'), undefined],
    ['one that is no text', { code: 11 }, undefined],
    ['nothing at all', null, undefined],
    ['a text that was thrown', 'ENOENT', undefined],
  ])('is found, or not, in %s', (_title, error: unknown, code) => {
    expect(errorCode(error)).toBe(code);
  });
});
