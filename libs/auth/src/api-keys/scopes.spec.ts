import { describe, expect, it } from '@jest/globals';
import { isWithin, scopeSchema } from './scopes.js';

describe('the scope of an API key', () => {
  it.each([
    ['GET /api/gateway/target', 'GET', '/api/gateway/target', true],
    ['GET /api/gateway/target', 'HEAD', '/api/gateway/target', true],
    ['GET /api/gateway/target', 'POST', '/api/gateway/target', false],
    ['GET /api/gateway/target', 'GET', '/api/gateway/target/1', false],
    ['GET /api/gateway/*', 'GET', '/api/gateway/target', true],
    ['GET /api/gateway/*', 'GET', '/api/gateway', false],
    ['GET /api/gateway/t*', 'GET', '/api/gateway/target', true],
    ['* /api/gateway/*', 'DELETE', '/api/gateway/target', true],
    ['* /api/gateway/*', 'GET', '/api/apikeys/list', false],
    ['POST /api/gateway/*', 'HEAD', '/api/gateway/target', false],
  ])('%s allows %s %s: %s', (scope, method, path, allowed) => {
    expect(isWithin([scope], method, path)).toBe(allowed);
  });

  it('is any of several; none at all allows nothing, and null everything', () => {
    expect(isWithin(['GET /a', 'POST /b'], 'POST', '/b')).toBe(true);
    expect(isWithin([], 'GET', '/a')).toBe(false);
    expect(isWithin(null, 'GET', '/a')).toBe(true);
  });

  it.each(['GET', '/a', 'get /a', 'GET a', 'GET  /a', 'GET /a b', 'GET /*/a', 'GET /a?b=*', '* *', ''])(
    'is not written as %j',
    (scope) => {
      expect(scopeSchema.safeParse(scope).success).toBe(false);
    },
  );
});
