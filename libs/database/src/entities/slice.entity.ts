import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import type { OrchestratorErrorCode } from '#common';
import { bigintAsNumber } from './bigint.js';
import { User } from './user.entity.js';

export type DesiredState = 'running' | 'stopped' | 'absent';
export type SliceStatus = 'provisioning' | 'active' | 'stopped' | 'failed' | 'destroying' | 'destroyed';
/** `external`: it was registered as it ran, and Sluice neither starts nor ends it. */
export type RuntimeKind = 'docker' | 'process' | 'external';

/**
 * One customer's own copy of the app. `desired…` is what the API, billing and the pool ask for; the rest is what the
 * reconciler has observed. Nobody else writes it, but for the health of what runs, which the monitor sees
 * (SliceSupervision). A destroyed slice stays as a tombstone.
 */
@Entity('slice')
@Check('slice_desired_state_check', `"desired_state" IN ('running', 'stopped', 'absent')`)
@Check(
  'slice_status_check',
  `"status" IN ('provisioning', 'active', 'stopped', 'failed', 'destroying', 'destroyed')`,
)
@Check('slice_stopped_by_check', `"stopped_by" = 'billing'`)
@Index('slice_live_name', ['name'], { unique: true, where: '"destroyed_at" IS NULL' })
@Index('slice_live_owner', ['ownerId'], { unique: true, where: '"destroyed_at" IS NULL' })
export class Slice {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT' })
  id!: number;

  @Column('text')
  name!: string;

  @Column('uuid', { nullable: true })
  ownerId!: string | null;

  @ManyToOne(() => User, { onDelete: 'RESTRICT', nullable: true })
  @JoinColumn({ name: 'owner_id' })
  owner?: Relation<User> | null;

  /**
   * May be given to a customer who signs up: made like any other, and never anybody's. Once false it stays so, since
   * a slice that had an owner holds that owner's data.
   */
  @Column('boolean', { default: false })
  claimable!: boolean;

  @Column('text')
  runtime!: RuntimeKind;

  /** Null with the process runtime. */
  @Column('text', { nullable: true })
  image!: string | null;

  /** The operator's variables for this slice, as JSON sealed by SecretBox (`slice:<id>:env`). */
  @Column('bytea', { nullable: true })
  envSealed!: Buffer | null;

  @Column('bigint', { transformer: bigintAsNumber })
  memoryBytes!: number;

  @Column('double precision')
  cpus!: number;

  /** SHA-256 of what was asked for at creation: tells a repeated request from another one of the same name. */
  @Column('text')
  specHash!: string;

  @Column('text', { default: 'running' })
  desiredState!: DesiredState;

  /** Who stopped it, where that was billing: it alone may start it again by itself. Null once anybody else has a wish. */
  @Column('text', { nullable: true })
  stoppedBy!: 'billing' | null;

  /** Grows with every change of what is desired, a restart included. */
  @Column('integer', { default: 1 })
  generation!: number;

  /** The generation that the last completed pass brought about. */
  @Column('integer', { default: 0 })
  observedGeneration!: number;

  @Column('text', { default: 'provisioning' })
  status!: SliceStatus;

  @Column('text', { nullable: true })
  host!: string | null;

  @Column('integer', { nullable: true })
  port!: number | null;

  /** The password of role `slice_<id>`, sealed by SecretBox (`slice:<id>:db`). */
  @Column('bytea', { nullable: true })
  databasePasswordSealed!: Buffer | null;

  /** What failed last, in words for the operator alone: customers see a general sentence for {@link lastErrorCode}. */
  @Column('text', { nullable: true })
  lastError!: string | null;

  /** The same as an error code, so that any replica can answer for what another one tried. */
  @Column('text', { nullable: true })
  lastErrorCode!: OrchestratorErrorCode | null;

  @Column('timestamptz', { nullable: true })
  lastHealthyAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt!: Date;

  @Column('timestamptz', { nullable: true })
  destroyedAt!: Date | null;
}
