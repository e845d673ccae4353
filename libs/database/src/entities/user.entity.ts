import { Check, Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export type UserRole = 'member' | 'admin';

/** Somebody with an account: a customer, or an operator with the role `admin`. */
@Entity('user')
@Check('user_role_check', `"role" IN ('member', 'admin')`)
export class User {
  /** Given by whoever makes the account (`randomUUID`). */
  @PrimaryColumn('uuid')
  id!: string;

  /** Normalised (trimmed, lower case); unique. */
  @Column('text', { unique: true })
  email!: string;

  @Column('text', { nullable: true })
  name!: string | null;

  /** PHC string; null for an account that never had a password. */
  @Column('text', { nullable: true })
  passwordHash!: string | null;

  @Column('text', { default: 'member' })
  role!: UserRole;

  @Column('timestamptz', { nullable: true })
  disabledAt!: Date | null;

  /** When a link mailed to {@link email}, or a provider that verifies addresses, showed that it is theirs. */
  @Column('timestamptz', { nullable: true })
  emailVerifiedAt!: Date | null;

  /** Claim `gen` of the account's gateway tokens; bumped where all of them are to be worth nothing from now on. */
  @Column('integer', { default: 0 })
  tokenGeneration!: number;

  /** The TOTP secret (RFC 6238), sealed for `user:<id>:totp`; null without two factors. */
  @Column('bytea', { nullable: true })
  totpSecretSealed!: Buffer | null;

  /** When a first code showed that the authenticator app has the secret; until then TOTP is not asked for. */
  @Column('timestamptz', { nullable: true })
  totpConfirmedAt!: Date | null;

  /** The time step of the last code that was taken: a code, and those before it, work once (RFC 6238 §5.2). */
  @Column('integer', { nullable: true })
  totpLastStep!: number | null;

  /**
   * When its owner deleted it. From then on it is nobody's, without an address and disabled; the row goes once its slice
   * has gone.
   */
  @Column('timestamptz', { nullable: true })
  deletedAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt!: Date;
}
