import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, AuthApp } from '../support/auth-app.js';
import { linkIn, MailServer } from '../support/mail-server.js';
import { soak } from '../support/soak.js';
import { tellable } from '../support/timing.js';

const TRIES = soak(500, 100);

/** Whoever asks for a mail to an address must not learn whether it has an account, nor where its link leads. */
describe('POST /auth/password/forgot', () => {
  let app: AuthApp;
  let mails: MailServer;
  beforeAll(async () => {
    mails = await MailServer.start();
    app = await AuthApp.start({ env: { SMTP_URL: mails.url, TRUST_PROXY: '127.0.0.1' } });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await mails[Symbol.asyncDispose]();
  });

  let clients = 0;
  function forgot(email: string, headers: Record<string, string> = {}): Promise<Answer> {
    const n = clients++;
    const address = `10.${n >> 8}.${n & 255}.1`;
    return app.send('POST', '/auth/password/forgot', {
      body: { email },
      headers: { 'x-forwarded-for': address, ...headers },
    });
  }

  it('answers the same, byte by byte, to known and unknown addresses', async () => {
    const { email } = await app.register();
    const said = [];
    for (const each of [email, 'nobody@example.com']) {
      const { status, headers, body } = await forgot(each);
      const named = [...headers].filter(([name]) => !['date', 'ratelimit-remaining'].includes(name));
      said.push({ status, body, headers: named });
    }
    expect(said[0]).toMatchObject({ status: 202, body: null });
    expect(said[1]).toEqual(said[0]);
  });

  it('mails a link to our own address, whatever host the request names', async () => {
    const { email } = await app.register();
    await forgot(email, {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      origin: app.url,
    });
    const link = linkIn(await mails.mailTo(email, 2));
    expect(link.host).not.toBe('evil.example');
    expect(new URL(app.url).port).toBe(link.port);
  });

  it('answers in the same time', async () => {
    // Each account is asked for within its bound of mails, so that there is a mail to write every time.
    const emails = await Promise.all(Array.from({ length: TRIES }, async () => (await app.register()).email));
    const told = await tellable(
      TRIES,
      (i) => forgot(emails[i % TRIES] ?? ''),
      (i) => forgot(`nobody-${i % TRIES}@example.com`),
    );
    expect(told).toBe(false);
  }, 300_000);
});
