import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from './support/app.ts';
import { startPostgres, type TestPostgres } from './support/postgres.ts';

let postgres: TestPostgres;
let app: TestApp;

beforeAll(async () => {
  postgres = await startPostgres();
  app = await startApp({ DATABASE_URL: postgres.url, SLICE_NAME: 'acme' });
});

afterAll(async () => {
  await app.remove();
  await postgres.remove();
});

describe('the page', () => {
  it('stands at /app with all it loads', async () => {
    const page = await fetch(`${app.url}/app`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, link]) => new URL(String(link), page.url),
    );
    expect(links.length).toBeGreaterThan(3);
    const statuses = await Promise.all(links.map(async (link) => (await fetch(link)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('learns its title and who is reading', async () => {
    expect(await app.call('GET', '/api/info')).toMatchObject({ body: { title: 'acme' } });
    expect(await app.call('GET', '/api/whoami')).toMatchObject({
      body: { email: null, sub: null, name: null },
    });
    const headers = {
      'X-User-Email': 'ada@example.com',
      'X-User-Sub': '7',
      'X-User-Name': 'Ada%20L%C3%B6velace',
    };
    const response = await fetch(`${app.url}/api/whoami`, { headers });
    expect(await response.json()).toEqual({
      email: 'ada@example.com',
      sub: '7',
      name: 'Ada%20L%C3%B6velace',
    });
  });
});
