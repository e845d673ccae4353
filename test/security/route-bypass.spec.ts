import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../support/assigned-slices.js';
import { Gateway } from '../support/gateway.js';
import { EchoApps, send } from '../support/routes.js';

/**
 * The threat: a path that passes an open route's policy, and that the server behind reads as one of a route that is
 * closed, since it decodes, merges slashes or drops path parameters before it looks for a resource.
 */
let apps: EchoApps;
let gateway: Gateway;

beforeAll(async () => {
  apps = await EchoApps.start('files');
  const target = apps.url('files');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
routes:
  - { id: open, path: /files, target: "${target}", auth: [none], rewrite: preserve }
  - { id: closed, path: /files/@private, target: "${target}", auth: [session], rewrite: preserve }
  - { id: admin, path: /files/adm, target: "${target}", auth: [session], rewrite: preserve }
`,
  });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

describe('a closed route below an open one', () => {
  it.each(['/files/@private/x', '/files/adm', '/files/x/../adm/y'])('asks who comes to %s', async (path) => {
    expect((await send(gateway.url, path)).status).toBe(401);
  });

  it.each([
    '/files/%40private/x',
    '/files//adm',
    '/files%2fadm',
    '/files/%61dm/y',
    '/files/adm;x/y',
    '/files/adm%3bx/y',
    '/files/;x/adm',
    '/files/adm;',
    '/%66iles/adm',
  ])('is not reached by %s', async (path) => {
    const answer = await send(gateway.url, path);
    expect(answer.seen?.url).toBeUndefined();
    expect([400, 401, 404]).toContain(answer.status);
  });

  it.each(['/files/a%20b', '/files/a;v=1', '/files//b', '/files/caf%C3%A9', '/files/%40public'])(
    'leaves %s to the open one, as it is',
    async (path) => {
      expect((await send(gateway.url, path)).seen.url).toBe(path);
    },
  );
});
