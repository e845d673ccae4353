import addressparser from 'nodemailer/lib/addressparser';
import { createTransport } from 'nodemailer';
import { compose } from './compose.js';
import { MailTransport, type Outgoing } from './outgoing.js';

/**
 * Bounds of one sending. Together they stay well under the first back-off of the outbox, so that a mail is not taken
 * up again while it is still being sent.
 */
const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000 } as const;

/** Sends mail to an SMTP server, one connection a mail: there are few, and no idle connection can have died. */
export class SmtpTransport extends MailTransport {
  private readonly smtp;
  /** The right side of a Message-ID: a name that is ours (RFC 5322 §3.6.4). */
  private readonly domain: string;

  /**
   * @param url `smtp://user:password@host:587`, `smtps://…`; nodemailer's options as its query, `?requireTLS=true`
   * @param from `Name <address>`, or the address alone
   */
  constructor(
    url: string,
    private readonly from: string,
  ) {
    super();
    this.smtp = createTransport({ url, ...TIMEOUTS });
    const [sender] = addressparser(from, { flatten: true });
    this.domain = sender?.address?.split('@').at(-1) ?? 'localhost';
  }

  override async deliver(mail: Outgoing): Promise<void> {
    await this.smtp.sendMail({
      from: this.from,
      to: { name: '', address: mail.to },
      subject: mail.subject,
      ...compose(mail),
      messageId: `<${mail.id}@${this.domain}>`,
      date: mail.createdAt,
      // Asks auto-responders not to answer (RFC 3834 §5).
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}
