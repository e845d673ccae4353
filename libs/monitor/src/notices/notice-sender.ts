import { setTimeout as wait } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '#common';
import { ControlConnection, Election, type OutgoingNotice } from '#database';
import { ChannelError } from './channel.js';
import { Channels } from './channels.js';
import { NOTICE_QUEUED, NoticeOutbox } from './notice-outbox.js';

const LOOK_EVERY_MS = 2000;

/** By then the operator knows, or the trouble is another one. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Sends what is in the outbox, one notice after the other, on one replica at a time. A replica that is killed between
 * the receiver's yes and the outbox's delete leaves one notice that is sent twice, with the same id.
 */
@Injectable()
export class NoticeSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(NoticeSender.name);
  private readonly election: Election;
  private wake = new AbortController();
  private complaint = '';

  constructor(
    private readonly control: ControlConnection,
    private readonly outbox: NoticeOutbox,
    private readonly channels: Channels,
    private readonly clock: Clock,
  ) {
    this.election = new Election(control, 'notice-sender');
  }

  /** Without a channel there is nothing to send, and nobody stands for election. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.channels.all.length === 0) return;
    await this.control.listen(NOTICE_QUEUED, () => this.wake.abort());
    void this.election.run((signal) => this.lead(signal));
  }

  /** A notice that is just being sent is sent to its end: it would go out a second time. */
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
      const notice = await this.outbox.take();
      this.complaint = '';
      if (notice === null) return;
      await this.send(notice);
    }
  }

  private async send(notice: OutgoingNotice): Promise<void> {
    const channel = this.channels.find(notice.channel);
    try {
      // One that is no longer set up has nobody left to tell.
      await channel?.deliver(notice);
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      await this.failed(notice, error);
      return;
    }
    await this.outbox.remove(notice);
  }

  private async failed(notice: OutgoingNotice, { message: reason }: ChannelError): Promise<void> {
    const about = { noticeId: notice.id, channel: notice.channel, attempts: notice.attempts, reason };
    if (this.clock.nowMs() - notice.createdAt.getTime() < GIVE_UP_AFTER_MS) {
      this.logger.warn(about, 'a notice could not be sent yet; it is tried again');
      return;
    }
    this.logger.error(about, 'a notice could not be sent, and is given up');
    await this.outbox.remove(notice);
  }

  /** A database that is away stays so for many looks. */
  private complainOnce(error: unknown): void {
    if (String(error) !== this.complaint)
      this.logger.warn({ err: error }, 'the notices could not be looked at; it is tried every few seconds');
    this.complaint = String(error);
  }
}
