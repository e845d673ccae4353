import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** The samples of a slice within some minutes as one row. A partition a day, as the samples have. */
@Entity('slice_rollup')
export class SliceRollup {
  /** So long it is: each moment stands in one row of each width. */
  @PrimaryColumn('smallint')
  stepSeconds!: number;

  @PrimaryColumn('integer')
  sliceId!: number;

  /** When the step begins. */
  @PrimaryColumn('timestamptz')
  at!: Date;

  /** How often it was asked whether it is healthy. */
  @Column('smallint')
  checks!: number;

  /** How often it was. */
  @Column('smallint')
  healthy!: number;

  /** The mean of the healthy answers. */
  @Column('real', { nullable: true })
  latencyMs!: number | null;

  /** The mean. */
  @Column('real', { nullable: true })
  cpuPercent!: number | null;

  /** The most: what is near its limit must not be averaged away. */
  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  memoryBytes!: number | null;

  /** The most. */
  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  databaseBytes!: number | null;

  /** The most. */
  @Column('integer', { nullable: true })
  connections!: number | null;

  /** The latest. */
  @Column('jsonb', { nullable: true })
  metrics!: Record<string, number> | null;
}
