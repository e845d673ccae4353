import { Injectable } from '@nestjs/common';
import { type Mail, Mailer } from '#common';
import { requireSingleLines } from './compose.js';
import { Outbox } from './outbox.js';

/** Keeps mail in the outbox, in the transaction of its cause. */
@Injectable()
export class OutboxMailer extends Mailer {
  constructor(private readonly outbox: Outbox) {
    super();
  }

  override async send(mail: Mail): Promise<void> {
    requireSingleLines(mail);
    await this.outbox.add(mail);
  }
}
