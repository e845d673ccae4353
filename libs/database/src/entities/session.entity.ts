import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

export type SessionKind = 'password' | 'oidc';

/** A signed-in browser. The id itself is only ever in the cookie; here stands its SHA-256. */
@Entity('session')
@Check('session_kind_check', `"kind" IN ('password', 'oidc')`)
export class Session {
  @PrimaryColumn('bytea')
  idHash!: Buffer;

  @Index()
  @Column('uuid')
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: Relation<User>;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  lastSeenAt!: Date;

  @Index()
  @Column('timestamptz')
  expiresAt!: Date;

  /** Where it was opened from, for the list of one's devices. */
  @Column('inet', { nullable: true })
  ip!: string | null;

  @Column('text', { nullable: true })
  userAgent!: string | null;

  /** How it was opened. */
  @Column('text', { default: 'password' })
  kind!: SessionKind;

  /** The provider's tokens (JSON), sealed for `session:<hash>:tokens`; null for a session opened by password. */
  @Column('bytea', { nullable: true })
  tokensSealed!: Buffer | null;

  /** The provider's name for the user (claim `sub`); null for a session opened by password. */
  @Column('text', { nullable: true })
  subject!: string | null;
}
