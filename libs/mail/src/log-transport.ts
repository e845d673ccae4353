import { Logger } from '@nestjs/common';
import { compose } from './compose.js';
import { MailTransport, type Outgoing } from './outgoing.js';

/** Writes mail to the log, links and all: for a trial on one's own machine. Never in production, where logs are kept. */
export class LogTransport extends MailTransport {
  private readonly logger = new Logger('Mail');

  override async deliver(mail: Outgoing): Promise<void> {
    this.logger.log(`to ${mail.to}: ${mail.subject}\n\n${compose(mail).text}`);
  }
}
