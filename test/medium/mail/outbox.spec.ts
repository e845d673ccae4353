import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import type { Mail } from '#common';
import { eventually } from '../../support/eventually.js';
import { MailApp } from '../../support/mail-app.js';
import { linkIn, MailServer } from '../../support/mail-server.js';
import { createTestDatabase, withClient } from '../../support/postgres.js';

const HOUR_MS = 3_600_000;

const mail: Mail = {
  to: 'ada@example.com',
  subject: 'Grüße <you> & all',
  content: [
    'Hello <script>alert(1)</script> & goodbye.',
    { label: 'Go on', url: 'https://app.example/x?a=1&b=2' },
  ],
};

/** Keeps what is logged, by level. */
function recorder(): LoggerService & { lines: string[] } {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (...parts: unknown[]): void =>
      void lines.push(
        `${level} ${parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ')}`,
      );
  return { lines, log: record('log'), warn: record('warn'), error: record('error') };
}

describe('the outbox', () => {
  let server: MailServer;
  let app: MailApp;
  beforeEach(async () => {
    server = await MailServer.start();
    app = await MailApp.start({ env: { SMTP_URL: server.url } });
  });
  afterEach(async () => {
    await app[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const isEmpty = (): Promise<void> => eventually(async () => expect(await app.waiting()).toEqual([]));

  it('sends a mail as text and as HTML in which nothing is markup that was text', async () => {
    await app.mailer.send(mail);
    const received = await server.mailTo('ada@example.com');
    expect(received.from).toBe('noreply@sluice.example');
    expect(received.headers.get('from')).toBe('Sluice <noreply@sluice.example>');
    expect(received.headers.get('to')).toBe('ada@example.com');
    expect(received.headers.get('message-id')).toMatch(/^<[0-9a-f-]{36}@sluice\.example>$/);
    expect(received.headers.get('auto-submitted')).toBe('auto-generated');
    expect(received.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 +0000');
    expect(received.text).toContain('Hello <script>alert(1)</script> & goodbye.');
    expect(linkIn(received).href).toBe('https://app.example/x?a=1&b=2');
    expect(received.html).toContain('&#60;script&#62;');
    expect(received.html).not.toContain('<script>');
    expect(received.html).toContain('href="https://app.example/x?a=1&#38;b=2"');
    await isEmpty();
  });

  it('is part of the transaction of its caller', async () => {
    const undone = app.transactions.run(async () => {
      await app.mailer.send({ ...mail, to: 'undone@example.com' });
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    await app.transactions.run(() => app.mailer.send(mail));
    await server.mailTo('ada@example.com');
    await isEmpty();
    expect(server.received).toHaveLength(1);
  });

  it('keeps no word of a mail in clear', async () => {
    await server.down();
    await app.mailer.send(mail);
    const [row] = await app.waiting();
    const stored = `${JSON.stringify(row)} ${row?.sealed.toString('latin1')}`;
    expect(stored).toContain(row?.id);
    expect(stored).not.toMatch(/ada@example|app\.example|Hello/);
    await server.up();
  });

  it.each([
    ['the recipient', { to: 'ada@example.com\r\nBcc: eve@example.com' }],
    ['the subject', { subject: 'Hello\nBcc: eve@example.com' }],
  ])('refuses a header that is smuggled into %s', async (_where, change) => {
    await expect(app.mailer.send({ ...mail, ...change })).rejects.toThrow(TypeError);
    expect(await app.waiting()).toEqual([]);
  });

  it('sends what waits when a server that was down is up again, under the same Message-ID', async () => {
    await server.down();
    await app.mailer.send(mail);
    const waiting = await eventually(async () => {
      const [row] = await app.waiting();
      expect(row?.lastError).toMatch(/ECONNREFUSED/);
      return row;
    });
    await server.up();
    app.clock.advance(60_000);
    const received = await server.mailTo('ada@example.com');
    expect(received.headers.get('message-id')).toBe(`<${waiting?.id}@sluice.example>`);
    await isEmpty();
  });

  it('tries again, later each time, what the server does not take yet', async () => {
    server.refusals.push({ status: 450, message: 'greylisted' }, { status: 451, message: 'still' });
    await app.mailer.send(mail);
    await eventually(async () => expect((await app.waiting())[0]?.lastError).toMatch(/greylisted/));
    app.clock.advance(59_999);
    expect(server.attempts).toBe(1);
    app.clock.advance(1);
    await eventually(async () => expect((await app.waiting())[0]?.lastError).toMatch(/still/));
    expect((await app.waiting())[0]?.nextAttemptAt.getTime()).toBe(app.clock.nowMs() + 120_000);
    app.clock.advance(120_000);
    await server.mailTo('ada@example.com');
    expect(server.attempts).toBe(3);
    await isEmpty();
  });

  it('gives up at once what the server refuses for good', async () => {
    server.refusals.push({ status: 550, message: 'no such mailbox' });
    await app.mailer.send(mail);
    await eventually(async () => expect(server.attempts).toBe(1));
    await isEmpty();
    expect(server.received).toEqual([]);
  });

  it('gives up after a day', async () => {
    await server.down();
    await app.mailer.send(mail);
    await eventually(async () => expect((await app.waiting())[0]?.attempts).toBe(1));
    app.clock.advance(24 * HOUR_MS);
    await isEmpty();
    await server.up();
  });

  it('does not keep one mail back for another that fails', async () => {
    server.refusals.push({ status: 450, message: 'not you' });
    await app.mailer.send({ ...mail, to: 'first@example.com' });
    await app.mailer.send({ ...mail, to: 'second@example.com' });
    await eventually(async () => expect(server.received).toHaveLength(1));
  });

  it('sends each mail once, however many gateways there are', async () => {
    await using replica = await MailApp.start({
      env: { SMTP_URL: server.url },
      database: app.database,
      clock: app.clock,
    });
    const names = Array.from({ length: 20 }, (_, i) => `user-${i}@example.com`);
    await Promise.all(names.map((to, i) => (i % 2 ? app : replica).mailer.send({ ...mail, to })));
    await isEmpty();
    expect(new Set(server.received.map(({ to }) => to[0]))).toEqual(new Set(names));
    expect(server.received).toHaveLength(names.length);
  });

  it('sends no mail twice because the database went away before it could be removed', async () => {
    const logger = recorder();
    await using own = await MailApp.start({ env: { SMTP_URL: server.url }, logger });
    const { connection } = own.database;
    const rename = (from: string, to: string): Promise<unknown> =>
      withClient(connection, (client) => client.query(`ALTER TABLE ${from} RENAME TO ${to}`));
    server.beforeYes = async () => void (await rename('outgoing_mail', 'away'));
    await own.mailer.send(mail);
    await eventually(async () => expect(logger.lines.join()).toContain('could not be looked at'));
    server.beforeYes = () => Promise.resolve();
    // Due at once, as it would be for whoever did not know that it was sent.
    await withClient(connection, (client) => client.query(`UPDATE away SET next_attempt_at = '2000-01-01'`));
    await rename('away', 'outgoing_mail');
    await eventually(async () => expect(await own.waiting()).toEqual([]));
    expect(server.received).toHaveLength(1);
  });

  it('ends the mail that is just being sent before it stops', async () => {
    const reached = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    server.beforeYes = () => {
      reached.resolve();
      return proceed.promise;
    };
    await using database = await createTestDatabase();
    const gateway = await MailApp.start({ env: { SMTP_URL: server.url }, database });
    await gateway.mailer.send(mail);
    await reached.promise;
    const stopped = gateway[Symbol.asyncDispose]();
    proceed.resolve();
    await stopped;
    await using next = await MailApp.start({ env: { SMTP_URL: server.url }, database });
    expect(await next.waiting()).toEqual([]);
    expect(server.received).toHaveLength(1);
  });
});

describe('without SMTP_URL', () => {
  it('writes a mail to the log in development, link and all', async () => {
    const logger = recorder();
    await using app = await MailApp.start({ logger });
    await app.mailer.send(mail);
    await eventually(async () =>
      expect(logger.lines.join('\n')).toMatch(
        /log to ada@example\.com: [^]*https:\/\/app\.example\/x\?a=1&b=2/,
      ),
    );
    await eventually(async () => expect(await app.waiting()).toEqual([]));
  });

  it('mails nothing, keeps nothing and logs no link in production, and says so once at the start', async () => {
    const logger = recorder();
    const production = {
      NODE_ENV: 'production',
      APP_URL: 'https://app.example',
      ADMIN_EMAIL: 'admin@example.com',
      ADMIN_KEY: 'an admin key of the tests',
      ADMIN_PASSWORD: 'a password of the tests',
      GATEWAY_JWT_SECRET: 'the secret of the tokens of the tests',
      SLICE_IMAGE: 'example',
    };
    await using app = await MailApp.start({ logger, env: production });
    for (let i = 0; i < 3; i++) await app.mailer.send(mail);
    expect(await app.waiting()).toEqual([]);
    expect(logger.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('SMTP_URL is not set'),
    ]);
    expect(logger.lines.join('\n')).not.toContain('app.example/x');
  });
});
