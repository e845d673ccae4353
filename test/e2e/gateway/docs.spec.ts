import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { User } from '#database';
import type { Browser } from '../../support/clients.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';

let gateway: Gateway;
let admin: Browser;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' } });
  admin = gateway.browser();
  await admin.register('admin@example.com', PASSWORD);
  await gateway.get(DataSource).getRepository(User).update({ email: 'admin@example.com' }, { role: 'admin' });
}, 20_000);
afterAll(() => gateway[Symbol.asyncDispose]());

describe('GET /admin/docs', () => {
  it('is a page whose every part its policy lets in, and which the gateway has', async () => {
    const { status, headers, body } = await admin.get('/admin/docs');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/script-src[^;]*(unsafe|https:|data:)/);
    // A script in the page, or in an attribute, would be blocked.
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|javascript:/i);
    const parts = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => String(path));
    expect(parts).toHaveLength(4);
    const types = { css: /^text\/css/, js: /^text\/javascript/, png: /^image\/png/ };
    for (const path of parts) {
      const part = await admin.get(path);
      const type = types[path.split('.').at(-1) as keyof typeof types];
      expect([path, part.status]).toEqual([path, 200]);
      expect(part.headers.get('content-type')).toMatch(type);
    }
  });

  it('starts Swagger UI on the document, and keeps no key', async () => {
    const { body: start } = await admin.get('/admin/docs/start.js');
    const said = (option: string) => new RegExp(`^  ${option}: (.*),$`, 'm').exec(start)?.[1];
    expect(start).toMatch(/^SwaggerUIBundle\(\{$/m);
    expect(said('persistAuthorization')).toBe('false');
    // Else the document would be sent to a service of Swagger's.
    expect(said('validatorUrl')).toBe('null');
    expect(await admin.get(String(said('url')).slice(1, -1))).toMatchObject({ status: 200 });
  });

  it.each(['package.json', 'swagger-ui.css.map', '..%2fpackage.json', 'constructor', '__proto__'])(
    'has no file %s',
    async (name) => {
      expect([400, 404]).toContain((await admin.get(`/admin/docs/${name}`)).status);
    },
  );
});

describe('GET /admin/openapi.json', () => {
  it('is the document that is committed', async () => {
    const { body } = await gateway.operator().get('/admin/openapi.json');
    expect(body).toEqual(JSON.parse(readFileSync('openapi.json', 'utf8')));
  });

  it('names a way to authorize that works: the admin key', async () => {
    const { body } = await admin.get('/admin/openapi.json');
    const { name } = body.components.securitySchemes.adminKey;
    const headers = { [name]: gateway.config.admin.key };
    expect((await gateway.browser().get('/metrics', { headers })).status).toBe(200);
  });
});
