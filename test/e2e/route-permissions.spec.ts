import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import { readFileSync } from 'node:fs';
import { describeRoutes } from '#auth';
import { FORWARDED_ENDPOINTS, Routes } from '#proxy';
import { Gateway } from '../support/gateway.js';

/**
 * Who may call what. A difference to route-permissions.txt is a change of permissions: look at it as one, and edit the
 * file by hand.
 */
describe('the permissions of the routes', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.start({ configFile: 'services:\n  "1": { path: /kira }\n' });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it('are the ones that were reviewed', () => {
    const reviewed = readFileSync(new URL('route-permissions.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const routes = describeRoutes(gateway.app, FORWARDED_ENDPOINTS).map(({ method, path, access }) =>
      [method.padEnd(6), path.padEnd(34), access].join(' '),
    );
    expect(routes).toEqual(reviewed);
  });

  it('are those of all routes: Express knows no other', () => {
    const express: Express = gateway.app.getHttpAdapter().getInstance();
    const served = express.router.stack.flatMap(({ route }) =>
      // The request log is middleware of every path.
      route === undefined || route.path === '{/*splat}'
        ? []
        : route.stack.map(({ method }) => `${method?.toUpperCase()} ${route.path}`),
    );
    const described = describeRoutes(gateway.app).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(served)).toEqual(new Set(described));
  });

  it.each(FORWARDED_ENDPOINTS)('are those of the edge: $method $path', ({ method, path, access }) => {
    const { route } = gateway.get(Routes).explain(method, path.replace(/:\w+/, '1'), 'any', false) ?? {};
    const auth = { public: 'none', 'API key': 'apiKey' }[access];
    expect(route).toMatchObject({ kind: 'upstream', policy: { auth: [auth] } });
  });

  it('are declared by each handler', () => {
    const undeclared = describeRoutes(gateway.app).filter(({ access }) => access === 'undeclared');
    expect(undeclared).toEqual([]);
  });

  it('are what somebody without a credential meets', async () => {
    for (const { method, path, access } of describeRoutes(gateway.app, FORWARDED_ENDPOINTS)) {
      const { status, body } = await gateway.browser().send(method, path.replace(/:\w+/, '1'));
      if (access === 'public') expect(status).not.toBe(401);
      else expect({ path, body }).toMatchObject({ path, body: { status: 401, code: 'UNAUTHENTICATED' } });
    }
  });
});
