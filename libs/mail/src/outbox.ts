import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock, type Mail, SecretBox } from '#common';
import { OutgoingMail, Transactions } from '#database';
import type { Outgoing } from './outgoing.js';

/** The channel of PostgreSQL's NOTIFY that says there is a mail to send. */
export const MAIL_QUEUED = 'mail_queued';

const FIRST_BACK_OFF_MS = 60_000;
const LONGEST_BACK_OFF_MS = 3_600_000;

const storedMail = z.object({
  to: z.string(),
  subject: z.string(),
  content: z.array(z.union([z.string(), z.object({ label: z.string(), url: z.string() })])),
});

/** The mails that are still to be sent, in the gateway's own database. */
@Injectable()
export class Outbox {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: SecretBox,
    private readonly clock: Clock,
  ) {}

  /** Keeps a mail, in the transaction under way; the sender is woken when that is committed. */
  async add(mail: Mail): Promise<void> {
    const { manager } = this.transactions;
    const id = randomUUID();
    const now = this.clock.now();
    await manager.getRepository(OutgoingMail).insert({
      id,
      sealed: this.secrets.seal(JSON.stringify(mail), contextOf(id)),
      createdAt: now,
      nextAttemptAt: now,
    });
    await manager.query('SELECT pg_notify($1, $2)', [MAIL_QUEUED, '']);
  }

  /**
   * Takes the mail that has waited the longest of those that are due, and puts its next attempt off: nobody else takes
   * it meanwhile, and it comes back by itself when the sender dies.
   */
  async take(): Promise<OutgoingMail | null> {
    const now = this.clock.nowMs();
    const { manager } = this.transactions;
    const due = await manager
      .getRepository(OutgoingMail)
      .createQueryBuilder('mail')
      .where('mail.nextAttemptAt <= :now', { now: new Date(now) })
      .orderBy('mail.nextAttemptAt')
      .limit(1)
      .getOne();
    if (due === null) return null;
    const attempts = due.attempts + 1;
    const nextAttemptAt = new Date(now + backOffAfter(attempts));
    const { affected } = await manager
      .getRepository(OutgoingMail)
      .update({ id: due.id, attempts: due.attempts }, { attempts, nextAttemptAt });
    // Another one was quicker: a replica that still believes to be elected.
    return affected === 1 ? Object.assign(due, { attempts, nextAttemptAt }) : this.take();
  }

  /** What a mail says. @throws Error when it was sealed under another key */
  read({ id, sealed, createdAt }: OutgoingMail): Outgoing {
    const mail = storedMail.parse(JSON.parse(this.secrets.open(sealed, contextOf(id))));
    return { ...mail, id, createdAt };
  }

  /** The mail was sent, or given up. */
  async remove({ id }: OutgoingMail): Promise<void> {
    await this.transactions.manager.getRepository(OutgoingMail).delete({ id });
  }

  /** Keeps why a mail was not sent, for whoever looks. */
  async note({ id }: OutgoingMail, error: string): Promise<void> {
    await this.transactions.manager.getRepository(OutgoingMail).update({ id }, { lastError: error });
  }
}

/** Milliseconds until a mail is tried again that was tried so often. */
export function backOffAfter(attempts: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (attempts - 1));
}

function contextOf(id: string): string {
  return `mail:${id}`;
}
