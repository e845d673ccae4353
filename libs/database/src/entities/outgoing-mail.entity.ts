import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A mail that is still to be sent. It is written in the transaction of its cause, so that neither is lost without the
 * other, and deleted once the server took it.
 */
@Entity('outgoing_mail')
@Index('outgoing_mail_due', ['nextAttemptAt'])
export class OutgoingMail {
  /** Becomes the Message-ID: a mail that is sent twice, since the sender died in between, is recognised as one. */
  @PrimaryColumn('uuid')
  id!: string;

  /** Recipient, subject and text (JSON), sealed for `mail:<id>`: links in it are credentials. */
  @Column('bytea')
  sealed!: Buffer;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('timestamptz')
  nextAttemptAt!: Date;

  @Column('text', { nullable: true })
  lastError!: string | null;
}
