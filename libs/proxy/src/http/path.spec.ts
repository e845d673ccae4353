import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, property } from 'fast-check';
import { isAmbiguous, matchesPrefix, readRequestPath, type RequestPath } from './path.js';

function read(target: string): RequestPath {
  const path = readRequestPath(target);
  if (path === null) throw new Error(`${target} was refused`);
  return path;
}

describe('readRequestPath', () => {
  it.each([
    ['/', '/', ''],
    ['/api/notes?q=../..&b=//', '/api/notes', '?q=../..&b=//'],
    ['/a/./b', '/a/b', ''],
    ['/a/../b', '/b', ''],
    ['/a/..', '/', ''],
    ['/a/b/.', '/a/b/', ''],
    ['/.well-known/x', '/.well-known/x', ''],
    ['/a..b/c...', '/a..b/c...', ''],
    ['/file%2ejs', '/file%2ejs', ''],
    ['/100%', '/100%', ''],
    ['/caf\u00c3\u00a9', '/caf\u00c3\u00a9', ''],
  ])('reads %j as %j', (target, path, search) => {
    expect(readRequestPath(target)).toMatchObject({ path, search });
  });

  it.each([
    'x',
    '',
    '?q',
    '/..',
    '/a/../..',
    '/a\\b',
    '/%5C',
    '/a%00',
    '/a#b',
    '/a?b#c',
    '/%2e%2e/a',
    '/.%2e',
    '/a/%2e',
    '/a%2f..',
    '/..;a',
    '/a/%2e.;x/b',
    '/a b',
    '/a\u007f',
  ])('refuses %j', (target) => {
    expect(readRequestPath(target)).toBeNull();
  });

  it.each([
    ['/a/b', []],
    ['/a%2Fb//c', ['/a/b/c']],
    ['/%61%41/%7e%2d%5F%39', ['/aA/~-_9']],
    ['/%40x/%21%24%3a', ['/@x/!$:']],
    ['/a;v=1/b;w/c', ['/a/b/c']],
    ['/a%3bv/b', ['/a;v/b', '/a/b']],
    ['/a/;x/b', ['/a/b']],
    ['/a%20b%C3%A9', []],
  ])('gives the other readings of %s', (target, readings) => {
    expect(read(target).readings).toEqual(readings);
  });

  it('reads what it has read to the same again, and leaves no dot segment', () => {
    const piece = constantFrom('/', '.', '..', '%2e', '%2F', '%5c', ';', 'a', 'b', '\\', '//', '%00');
    assert(
      property(array(piece, { maxLength: 12 }), (pieces) => {
        const once = readRequestPath(`/${pieces.join('')}`);
        if (once === null) return;
        expect(readRequestPath(once.path)).toEqual(once);
        expect(decodeURIComponent(once.path).split('/')).not.toEqual(expect.arrayContaining(['..']));
      }),
    );
  });
});

describe('matchesPrefix', () => {
  it.each([
    ['/api', '/api', true],
    ['/api/x', '/api', true],
    ['/apix', '/api', false],
    ['/api', '/api/', false],
    ['/api/x', '/api/', true],
    ['/x', '/', true],
    ['/API', '/api', false],
  ])('%s under %s: %s', (path, prefix, expected) => {
    expect(matchesPrefix(path, prefix)).toBe(expected);
  });
});

function routeOf(path: string): string | undefined {
  return ['/api/secret', '/api/@private', '/api'].find((prefix) => matchesPrefix(path, prefix));
}

describe('isAmbiguous', () => {
  it.each([
    ['/api/x%2Fy', false],
    ['/api/files//x', false],
    ['/api/secret/x%2fy', false],
    ['/api/%78', false],
    ['/api/%73ecret', true],
    ['/%61pi/x', true],
    ['/api//secret', true],
    ['/api%2fsecret', true],
    ['//api/x', true],
    ['/api/%40private', true],
    ['/api/;x/secret', true],
    ['/api/secret;x', true],
    ['/api/secret;v=1/y', true],
    ['/api/notes;v=1', false],
    ['/api/%40x', false],
  ])('%s: %s', (target, expected) => {
    expect(isAmbiguous(read(target), routeOf)).toBe(expected);
  });
});
