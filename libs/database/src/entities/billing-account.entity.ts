import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  OneToOne,
  PrimaryColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { User } from './user.entity.js';

/** Stripe's words for how a subscription is, and `none` where there never was one. */
export const SUBSCRIPTION_STATUSES = [
  'none',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'canceled',
  'incomplete',
  'incomplete_expired',
  'paused',
] as const;

export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

/** What billing knows of a customer: whom Stripe takes them for, and their subscription as it was last read there. */
@Entity('billing_account')
@Check(
  'billing_account_status_check',
  `"status" IN (${SUBSCRIPTION_STATUSES.map((status) => `'${status}'`).join(', ')})`,
)
@Index('billing_account_due', ['nextStepAt'], { where: '"next_step_at" IS NOT NULL' })
export class BillingAccount {
  @PrimaryColumn('uuid')
  userId!: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: Relation<User>;

  /** `cus_…`; null before the first checkout, and after the customer was deleted at Stripe. */
  @Column('text', { nullable: true, unique: true })
  customerId!: string | null;

  /** Which request for a customer at Stripe it is, counted from 1: another one after one was deleted, or failed for good. */
  @Column('integer', { default: 1 })
  customerNumber!: number;

  /** The address that Stripe was last told. Without a customer: the one with which a customer was to be made. */
  @Column('text', { nullable: true })
  customerEmail!: string | null;

  /** One more with each reading of the subscription: what was read before the last one was kept is kept no more. */
  @Column('integer', { default: 0 })
  revision!: number;

  /** `sub_…`; it stays when the subscription has ended. */
  @Column('text', { nullable: true })
  subscriptionId!: string | null;

  @Column('text', { default: 'none' })
  status!: SubscriptionStatus;

  /** When {@link status} was first read. */
  @Column('timestamptz', { nullable: true })
  statusSince!: Date | null;

  @Column('text', { nullable: true })
  priceId!: string | null;

  @Column('timestamptz', { nullable: true })
  currentPeriodEnd!: Date | null;

  /** When the subscription will end, where that was asked for. */
  @Column('timestamptz', { nullable: true })
  cancelAt!: Date | null;

  @Column('boolean', { default: false })
  cancelAtPeriodEnd!: boolean;

  @Column('timestamptz', { nullable: true })
  trialEnd!: Date | null;

  /** Since when a payment is missing; grace counts from here. Null unless `past_due`. */
  @Column('timestamptz', { nullable: true })
  pastDueSince!: Date | null;

  /** When the subscription ended; null as long as it has not. */
  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;

  /** When time alone brings the next step: a notice, a stop, a removal. */
  @Column('timestamptz', { nullable: true })
  nextStepAt!: Date | null;

  /** Since when billing holds the slice stopped; null while it does not. */
  @Column('timestamptz', { nullable: true })
  heldSince!: Date | null;

  /** When the customer was told that the data will be removed; without that it is not. */
  @Column('timestamptz', { nullable: true })
  removalNoticedAt!: Date | null;

  /** When the slice was given up after retention; who pays again gets a new one, and this is null again. */
  @Column('timestamptz', { nullable: true })
  sliceRemovedAt!: Date | null;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt!: Date;
}
