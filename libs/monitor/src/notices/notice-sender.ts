import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '#common';
import { ControlConnection, type OutgoingNotice, OutboxWorker } from '#database';
import { ChannelError } from './channel.js';
import { Channels } from './channels.js';
import { NOTICE_QUEUED, NoticeOutbox } from './notice-outbox.js';

/** By then the operator knows, or the trouble is another one. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Sends what is in the outbox, one notice after the other, on one replica at a time. A replica that is killed between
 * the receiver's yes and the outbox's delete leaves one notice that is sent twice, with the same id.
 */
@Injectable()
export class NoticeSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(NoticeSender.name);
  private readonly worker: OutboxWorker;

  constructor(
    control: ControlConnection,
    private readonly outbox: NoticeOutbox,
    private readonly channels: Channels,
    private readonly clock: Clock,
  ) {
    this.worker = new OutboxWorker(control, {
      name: 'notice-sender',
      channel: NOTICE_QUEUED,
      logger: this.logger,
      sendNext: () => this.sendNext(),
    });
  }

  /** Without a channel there is nothing to send, and nobody stands for election. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.channels.all.length > 0) await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }

  private async sendNext(): Promise<boolean> {
    const notice = await this.outbox.take();
    if (notice === null) return false;
    await this.send(notice);
    return true;
  }

  private async send(notice: OutgoingNotice): Promise<void> {
    const channel = this.channels.find(notice.channel);
    try {
      // One that is no longer set up has nobody left to tell.
      await channel?.deliver(notice);
    } catch (error) {
      await this.failed(notice, reasonOf(error));
      return;
    }
    await this.outbox.remove(notice);
  }

  private async failed(notice: OutgoingNotice, reason: string): Promise<void> {
    const about = { noticeId: notice.id, channel: notice.channel, attempts: notice.attempts, reason };
    if (this.clock.nowMs() - notice.createdAt.getTime() < GIVE_UP_AFTER_MS) {
      this.logger.warn(about, 'a notice could not be sent yet; it is tried again');
      return;
    }
    this.logger.error(about, 'a notice could not be sent, and is given up');
    await this.outbox.remove(notice);
  }
}

/** Of a channel at fault itself the class of the error alone: what it says may hold a secret of the URL. */
function reasonOf(error: unknown): string {
  if (error instanceof ChannelError) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}
