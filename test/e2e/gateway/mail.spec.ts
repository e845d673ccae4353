import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { linkIn, MailServer } from '../../support/mail-server.js';
import { createTestDatabase, withClient } from '../../support/postgres.js';

const SECRET_KEY = 'the secret key that these gateways share';

describe('mail of the gateway', () => {
  it('leads to a page that works with the headers and in the origin of the gateway', async () => {
    await using mails = await MailServer.start();
    await using gateway = await Gateway.start({ env: { SMTP_URL: mails.url } });
    const browser = gateway.browser();
    await browser.register('ada@example.com', PASSWORD);
    const link = linkIn(await mails.mailTo('ada@example.com'));

    const page = await fetch(link);
    expect(page.status).toBe(200);
    // One policy, and the page's own: two would both hold, and helmet's is another.
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^,]*$/,
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('x-request-id')).toBeTruthy();
    const action = /action="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const done = await fetch(new URL(action, link), {
      method: 'POST',
      body: new URLSearchParams({ token: link.searchParams.get('token') ?? '' }),
      headers: { origin: link.origin, 'sec-fetch-site': 'same-origin', cookie: browser.cookie },
    });
    expect(done.status).toBe(200);
    expect((await browser.get('/auth/me')).body).toMatchObject({ user: { emailVerified: true } });
  });

  it('goes out once from two gateways, and twice at the most when one is killed as it sends', async () => {
    await using mails = await MailServer.start();
    await using database = await createTestDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-mail-'));
    const setting = { database, dataDir, env: { SMTP_URL: mails.url, SECRET_KEY } };
    const taken = Promise.withResolvers<void>();
    mails.beforeYes = () => {
      taken.resolve();
      return mails.received.length === 1 ? killed.promise : Promise.resolve();
    };
    const killed = Promise.withResolvers<void>();

    await using leader = await GatewayProcess.start(setting);
    await using other = await Gateway.start({ database, env: { SMTP_URL: mails.url, SECRET_KEY } });
    await other.browser().register('ada@example.com', PASSWORD);
    await taken.promise;
    await leader.kill();
    killed.resolve();

    // It comes back when the killed gateway's time for it is over; that need not be waited for here.
    await withClient(database.connection, (client) =>
      client.query('UPDATE outgoing_mail SET next_attempt_at = now()'),
    );
    await mails.mailTo('ada@example.com', 2);
    await eventually(async () => {
      const { rows } = await withClient(database.connection, (client) =>
        client.query('SELECT FROM outgoing_mail'),
      );
      expect(rows).toEqual([]);
    });
    const ids = mails.received.map(({ headers }) => headers.get('message-id'));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);
});
