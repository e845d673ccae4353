import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '#common';
import { ControlConnection, type OutgoingMail, OutboxWorker } from '#database';
import { isPermanent } from './is-permanent.js';
import { MailTransport } from './outgoing.js';
import { MAIL_QUEUED, Outbox } from './outbox.js';

/** A mail that could not be sent for so long is no news to its reader, and what its link opens has expired. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Sends what is in the outbox, one mail after the other, on one replica at a time. A replica that is killed between
 * the server's yes and the outbox's delete leaves one mail that is sent twice, with the same Message-ID.
 */
@Injectable()
export class MailSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MailSender.name);
  private readonly worker: OutboxWorker;
  /** Sent, and in the outbox all the same, because the database went away just then. */
  private sent: OutgoingMail | null = null;

  constructor(
    control: ControlConnection,
    private readonly outbox: Outbox,
    private readonly transport: MailTransport,
    private readonly clock: Clock,
  ) {
    this.worker = new OutboxWorker(control, {
      name: 'mail-sender',
      channel: MAIL_QUEUED,
      logger: this.logger,
      sendNext: () => this.sendNext(),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }

  private async sendNext(): Promise<boolean> {
    await this.removeSent();
    const mail = await this.outbox.take();
    if (mail === null) return false;
    await this.send(mail);
    return true;
  }

  private async send(mail: OutgoingMail): Promise<void> {
    try {
      await this.transport.deliver(this.outbox.read(mail));
    } catch (error) {
      await this.failed(mail, error);
      return;
    }
    this.sent = mail;
    await this.removeSent();
  }

  private async removeSent(): Promise<void> {
    if (this.sent !== null) await this.outbox.remove(this.sent);
    this.sent = null;
  }

  private async failed(mail: OutgoingMail, error: unknown): Promise<void> {
    const about = { err: error, mailId: mail.id, attempts: mail.attempts };
    const age = this.clock.nowMs() - mail.createdAt.getTime();
    if (isPermanent(error) || age >= GIVE_UP_AFTER_MS) {
      this.logger.error(about, 'a mail could not be sent, and is given up');
      await this.outbox.remove(mail);
      return;
    }
    this.logger.warn(about, 'a mail could not be sent yet; it is tried again');
    await this.outbox.note(mail, String(error));
  }
}
