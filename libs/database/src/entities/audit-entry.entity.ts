import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { Actor } from '#common';

/**
 * What an operator did. An account is named by its id alone: whose it is stands in the account, and goes with it. No
 * reference, so that an entry outlives whom and what it tells of.
 */
@Entity('audit_entry')
@Check('audit_entry_actor_kind_check', `"actor_kind" IN ('user', 'adminKey', 'system')`)
@Index('audit_entry_target', ['targetKind', 'targetId', 'id'])
@Index('audit_entry_actor', ['actorId', 'id'])
@Index('audit_entry_at', ['at'])
export class AuditEntry {
  /** In the order in which the changes were made. */
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id!: string;

  @Column('timestamptz')
  at!: Date;

  @Column('text')
  actorKind!: Actor['kind'];

  @Column('uuid', { nullable: true })
  actorId!: string | null;

  /** `<area>.<verb>`. */
  @Column('text')
  action!: string;

  @Column('text')
  targetKind!: string;

  @Column('text')
  targetId!: string;

  @Column('jsonb', { nullable: true })
  before!: Readonly<Record<string, unknown>> | null;

  @Column('jsonb', { nullable: true })
  after!: Readonly<Record<string, unknown>> | null;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('text', { nullable: true })
  requestId!: string | null;
}
