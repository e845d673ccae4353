import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Mail, Mailer } from '#common';
import { requireSingleLines } from './compose.js';

/** Production without `SMTP_URL`: nothing is mailed, nothing is kept, and no link ends in a log. */
@Injectable()
export class NoMailer extends Mailer implements OnApplicationBootstrap {
  private readonly logger = new Logger('Mail');

  onApplicationBootstrap(): void {
    this.logger.warn(
      'SMTP_URL is not set: no mail is sent, so addresses can not be verified and forgotten passwords not reset',
    );
  }

  override async send(mail: Mail): Promise<void> {
    requireSingleLines(mail);
  }
}
