import { describe, expect, it } from '@jest/globals';
import { isLocalPath, nextSchema, returnTarget } from './return-target.js';

const ORIGIN = 'https://app.example.com';

describe('where a sign-in may return to', () => {
  it.each([
    ['/', `${ORIGIN}/`],
    ['/dashboard', `${ORIGIN}/dashboard`],
    ['/a/b?c=d&e=//f#g', `${ORIGIN}/a/b?c=d&e=//f#g`],
    ['/a//b', `${ORIGIN}/a//b`],
    ['/%09/evil.example', `${ORIGIN}/%09/evil.example`],
    ['/@evil.example', `${ORIGIN}/@evil.example`],
    ['/.//evil.example', `${ORIGIN}//evil.example`],
    ['/ünïcode', `${ORIGIN}/%C3%BCn%C3%AFcode`],
  ])('is the path %s of the same origin', (next, target) => {
    expect(isLocalPath(next)).toBe(true);
    expect(returnTarget(ORIGIN, next)).toBe(target);
  });

  it.each([
    '',
    'dashboard',
    'https://evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/a\\b',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/\u0000',
    '/\u0085/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '@evil.example',
    '.evil.example',
    ':443',
  ])('is never %j', (next) => {
    expect(isLocalPath(next)).toBe(false);
    expect(nextSchema.safeParse(next).success).toBe(false);
  });

  it.each(['//evil.example', '/\\evil.example', '/\t/evil.example', 'https://evil.example/', 'javascript:x'])(
    'is not %j either when only the origin is compared',
    (next) => {
      expect(returnTarget(ORIGIN, next)).toBeNull();
    },
  );

  it('is the first page where nothing is said', () => {
    expect(nextSchema.parse(undefined)).toBe('/');
  });

  it('is not said twice', () => {
    expect(nextSchema.safeParse(['/a', '/b']).success).toBe(false);
  });
});
