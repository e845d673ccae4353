import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event of Stripe's that was taken. The row is written together with what the event led to, so it has led to it once. */
@Entity('billing_event')
export class BillingEvent {
  /** `evt_…` */
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  type!: string;

  /** Id of the object it is about. */
  @Column('text', { nullable: true })
  objectId!: string | null;

  /** `cus_…`, where it names one. */
  @Column('text', { nullable: true })
  customerId!: string | null;

  /** When it happened, says Stripe. */
  @Column('timestamptz')
  createdAt!: Date;

  @Index()
  @Column('timestamptz')
  receivedAt!: Date;
}
