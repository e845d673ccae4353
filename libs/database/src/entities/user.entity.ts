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

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt!: Date;
}
