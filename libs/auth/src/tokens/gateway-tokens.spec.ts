import { describe, expect, it } from '@jest/globals';
import type { TokenPrincipal } from '../principals/principal.js';
import { opensRoute } from './gateway-tokens.js';

const bearer = (route: string, ...scopes: string[]): TokenPrincipal => ({
  kind: 'token',
  projectId: 'somebody',
  route,
  scopes,
  user: null,
  expiresAt: new Date(0),
});

describe('a gateway token', () => {
  it.each([
    ['its own route', bearer('build', 'guest'), 'build', true],
    ['another route', bearer('build', 'guest'), 'kv', false],
    ['another route, in the hands of an admin', bearer('build', 'admin'), 'kv', false],
    ['every route, when it is an admin’s for auth', bearer('auth', 'admin'), 'kv', true],
    ['every route, when it is an admin’s for core', bearer('core', 'admin'), 'kv', true],
    ['no other route for core without the scope', bearer('core', 'guest'), 'kv', false],
    ['not even core for core without the scope', bearer('core', 'guest'), 'core', false],
    ['not even auth for auth without a scope', bearer('auth'), 'auth', false],
    ['nothing by a route that is like its own', bearer('build', 'guest'), 'Build', false],
  ])('opens %s', (_what, token, route, opens) => {
    expect(opensRoute(token, route)).toBe(opens);
  });
});
