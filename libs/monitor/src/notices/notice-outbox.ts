import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Clock, type Notice, Notifier } from '#common';
import { OutgoingNotice, Transactions } from '#database';
import { Channels } from './channels.js';

/** The channel of PostgreSQL's NOTIFY that says there is a notice to send. */
export const NOTICE_QUEUED = 'notice_queued';

const FIRST_BACK_OFF_MS = 60_000;
const LONGEST_BACK_OFF_MS = 3_600_000;

/** The notices that are still to be sent, in the gateway's own database: a row for each channel. */
@Injectable()
export class NoticeOutbox extends Notifier {
  private readonly logger = new Logger('Notice');

  constructor(
    private readonly transactions: Transactions,
    private readonly channels: Channels,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async notify(notice: Notice): Promise<void> {
    // The log is the channel that is always there.
    const line = `${notice.title}: ${notice.body}`;
    if (notice.type === 'failure' || notice.type === 'warning') this.logger.warn(line);
    else this.logger.log(line);
    const [id, now] = [randomUUID(), this.clock.now()];
    const rows = this.channels.all.map(({ name: channel }) => ({
      ...notice,
      id,
      channel,
      createdAt: now,
      nextAttemptAt: now,
    }));
    if (rows.length === 0) return;
    const { manager } = this.transactions;
    await manager.insert(OutgoingNotice, rows);
    await manager.query('SELECT pg_notify($1, $2)', [NOTICE_QUEUED, '']);
  }

  /**
   * Takes the notice that has waited the longest of those that are due, and puts its next attempt off: nobody else takes
   * it meanwhile, and it comes back by itself when the sender dies.
   */
  async take(): Promise<OutgoingNotice | null> {
    const now = this.clock.nowMs();
    const notices = this.transactions.manager.getRepository(OutgoingNotice);
    const due = await notices
      .createQueryBuilder('notice')
      .where('notice.nextAttemptAt <= :now', { now: new Date(now) })
      .orderBy('notice.createdAt')
      .limit(1)
      .getOne();
    if (due === null) return null;
    const attempts = due.attempts + 1;
    const nextAttemptAt = new Date(now + backOffAfter(attempts));
    const { id, channel } = due;
    const { affected } = await notices.update(
      { id, channel, attempts: due.attempts },
      { attempts, nextAttemptAt },
    );
    // Another one was quicker: a replica that still believes to be elected.
    return affected === 1 ? Object.assign(due, { attempts, nextAttemptAt }) : this.take();
  }

  /** The notice was sent, or given up. */
  async remove({ id, channel }: OutgoingNotice): Promise<void> {
    await this.transactions.manager.delete(OutgoingNotice, { id, channel });
  }
}

/** Milliseconds until a notice is tried again that was tried so often. */
function backOffAfter(attempts: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (attempts - 1));
}
