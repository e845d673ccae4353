import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cookieNames, cookieValues } from './cookie-values.js';

const session = new Set(['session', '__Host-session']);

describe('cookieValues', () => {
  it.each([
    ['session=a', ['a']],
    ['x=1; session=a; y=2', ['a']],
    ['session=a; session=b', ['a', 'b']],
    ['session=a;session=b', ['a', 'b']],
    ['__Host-session=a; session=b', ['a', 'b']],
    [' session = a ', ['a']],
    ['session=a=b', ['a=b']],
    ['session=', ['']],
    ['sessions=a; xsession=b; Session=c', []],
    ['session', []],
    ['session; x=a', []],
    ['x="; session=a"', ['a"']],
    ['', []],
    [';;=;=session', []],
  ])('reads %j as %j', (header, values) => {
    expect(cookieValues(header, session)).toEqual(values);
  });

  it('finds a cookie wherever it stands among any others', () => {
    const noise = fc.array(
      fc.stringMatching(/^[^;]{0,12}$/).filter((pair) => !/^\s*(__Host-)?session\s*=/.test(pair)),
    );
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        expect(cookieValues([...before, 'session=a', ...after].join('; '), session)).toEqual(['a']);
      }),
    );
  });
});

describe('cookieNames', () => {
  it.each([
    ['a=1; b=2;a=3', ['a', 'b', 'a']],
    [' a = 1 ; =2; c', ['a', '']],
    ['', []],
  ])('reads %j as %j', (header, names) => {
    expect(cookieNames(header)).toEqual(names);
  });
});
