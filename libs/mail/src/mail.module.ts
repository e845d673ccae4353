import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { Mailer } from '#common';
import { AppConfig } from '#config';
import { LogTransport } from './log-transport.js';
import { MailSender } from './mail-sender.js';
import { NoMailer } from './no-mailer.js';
import { Outbox } from './outbox.js';
import { OutboxMailer } from './outbox-mailer.js';
import { MailTransport } from './outgoing.js';

/** Provides {@link Mailer}. Needs AppConfig, Clock, SecretBox, and the database library. */
@Global()
@Module({})
export class MailModule {
  static forRoot({ mail, mode }: AppConfig): DynamicModule {
    const silent = mail.smtpUrl === null && mode === 'production';
    return {
      module: MailModule,
      providers: silent ? [{ provide: Mailer, useClass: NoMailer }] : SENDING,
      exports: [Mailer],
    };
  }
}

const SENDING: Provider[] = [
  Outbox,
  MailSender,
  { provide: Mailer, useClass: OutboxMailer },
  { provide: MailTransport, inject: [AppConfig], useFactory: transportFor },
];

/** Nodemailer is loaded where there is a server to speak to: it takes as much memory as all the rest of the mail. */
async function transportFor({ mail }: AppConfig): Promise<MailTransport> {
  if (mail.smtpUrl === null) return new LogTransport();
  const { SmtpTransport } = await import('./smtp-transport.js');
  return new SmtpTransport(mail.smtpUrl, mail.from);
}
