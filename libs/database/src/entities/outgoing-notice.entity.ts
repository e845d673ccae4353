import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export type NoticeType = 'info' | 'success' | 'warning' | 'failure';

/**
 * A notice to the operator that one channel is still to carry. Written in the transaction of its cause, so that neither
 * is lost without the other, and deleted once it was taken.
 */
@Entity('outgoing_notice')
@Index('outgoing_notice_due', ['nextAttemptAt'])
export class OutgoingNotice {
  /** The same on every channel: a receiver that gets it twice, since the sender died in between, can tell. */
  @PrimaryColumn('uuid')
  id!: string;

  @PrimaryColumn('text')
  channel!: string;

  @Column('text')
  title!: string;

  @Column('text')
  body!: string;

  @Column('text')
  type!: NoticeType;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('timestamptz')
  nextAttemptAt!: Date;
}
