import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Something that billing did, or was told: the trail from a payment that failed to the slice that was stopped. */
@Entity('billing_step')
@Index('billing_step_once', ['userId', 'key'], { unique: true, where: '"key" IS NOT NULL' })
@Index('billing_step_user_id_at_idx', ['userId', 'at'])
export class BillingStep {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'ALWAYS' })
  id!: number;

  /** Null where nobody here is concerned. No reference: the trail outlives the account. */
  @Column('uuid', { nullable: true })
  userId!: string | null;

  @Column('text')
  step!: string;

  /** Names what happens once; null for what may happen again. */
  @Column('text', { nullable: true })
  key!: string | null;

  /** What led to it: an event's id, `sync`, `time` … */
  @Column('text')
  cause!: string;

  @Column('jsonb', { default: {} })
  detail!: Readonly<Record<string, string | number | null>>;

  @Column('timestamptz')
  at!: Date;
}
