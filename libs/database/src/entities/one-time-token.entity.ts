import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

export type OneTimeTokenPurpose = 'verify-email' | 'reset-password';

/**
 * A link that was mailed. The token itself is only in the mail; here stands its SHA-256. Using it deletes the row, and a
 * later link of the same purpose takes its place.
 */
@Entity('one_time_token')
@Index('one_time_token_user_id_purpose_idx', ['userId', 'purpose'], { unique: true })
@Check('one_time_token_purpose_check', `"purpose" IN ('verify-email', 'reset-password')`)
export class OneTimeToken {
  @PrimaryColumn('bytea')
  tokenHash!: Buffer;

  @Column('uuid')
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: Relation<User>;

  @Column('text')
  purpose!: OneTimeTokenPurpose;

  /** The address it was mailed to: it proves nothing about one that the account was given since. */
  @Column('text')
  email!: string;

  @Column('timestamptz')
  createdAt!: Date;

  @Index()
  @Column('timestamptz')
  expiresAt!: Date;
}
