import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** Whether there is something of a slice in its runtime, and whether that runs. */
export type InstanceState = 'running' | 'exited' | 'absent';

/**
 * What the monitor saw of one slice at one moment. A partition a day: what is too old goes with its whole table.
 * Without a foreign key, since no slice's row is ever deleted.
 */
@Entity('slice_sample')
export class SliceSample {
  @PrimaryColumn('integer')
  sliceId!: number;

  @PrimaryColumn('timestamptz')
  at!: Date;

  /** Null: it was not asked, since it is not meant to run. */
  @Column('boolean', { nullable: true })
  healthy!: boolean | null;

  /** Of an answer that was healthy. */
  @Column('integer', { nullable: true })
  latencyMs!: number | null;

  /** Null where the runtime did not tell. */
  @Column('text', { nullable: true })
  state!: InstanceState | null;

  /** Of one core, since the sample before: two busy cores are 200. */
  @Column('real', { nullable: true })
  cpuPercent!: number | null;

  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  memoryBytes!: number | null;

  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  databaseBytes!: number | null;

  @Column('integer', { nullable: true })
  connections!: number | null;

  /** The app's own figures, by their names in config.yml. */
  @Column('jsonb', { nullable: true })
  metrics!: Record<string, number> | null;
}
