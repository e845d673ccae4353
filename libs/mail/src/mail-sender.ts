import { setTimeout as wait } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '#common';
import { ControlConnection, Election, type OutgoingMail } from '#database';
import { MailTransport } from './outgoing.js';
import { MAIL_QUEUED, Outbox } from './outbox.js';
import { isPermanent } from './smtp-transport.js';

const LOOK_EVERY_MS = 2000;

/** A mail that could not be sent for so long is no news to its reader, and what its link opens has expired. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Sends what is in the outbox, one mail after the other, on one replica at a time. A replica that is killed between
 * the server's yes and the outbox's delete leaves one mail that is sent twice, with the same Message-ID.
 */
@Injectable()
export class MailSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MailSender.name);
  private readonly election: Election;
  private wake = new AbortController();
  private complaint = '';
  /** Sent, and in the outbox all the same, because the database went away just then. */
  private sent: OutgoingMail | null = null;

  constructor(
    private readonly control: ControlConnection,
    private readonly outbox: Outbox,
    private readonly transport: MailTransport,
    private readonly clock: Clock,
  ) {
    this.election = new Election(control, 'mail-sender');
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.control.listen(MAIL_QUEUED, () => this.wake.abort());
    void this.election.run((signal) => this.lead(signal));
  }

  /** A mail that is just being sent is sent to its end: it would go out a second time. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.election.stop();
  }

  private async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.wake = new AbortController();
      await this.sendDue(signal).catch((error: unknown) => this.complainOnce(error));
      const pause = AbortSignal.any([signal, this.wake.signal]);
      await wait(LOOK_EVERY_MS, undefined, { signal: pause, ref: false }).catch(() => undefined);
    }
  }

  private async sendDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.removeSent();
      const mail = await this.outbox.take();
      this.complaint = '';
      if (mail === null) return;
      await this.send(mail);
    }
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

  /** A database that is away stays so for many looks. */
  private complainOnce(error: unknown): void {
    if (String(error) !== this.complaint)
      this.logger.warn({ err: error }, 'the outbox could not be looked at; it is tried every few seconds');
    this.complaint = String(error);
  }
}
