import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the monitor has come, whichever replica runs it. One row. */
@Entity('monitor_state')
@Check('monitor_state_one_row_check', `"id" = 1`)
export class MonitorState {
  @PrimaryColumn('smallint')
  id!: number;

  /** When the latest pass began. */
  @Column('timestamptz', { nullable: true })
  lastPassAt!: Date | null;

  /** Host and process of the gateway that made it, for people. */
  @Column('text', { nullable: true })
  lastPassBy!: string | null;

  /** What is older stands in the roll-ups; what is newer only in the samples. */
  @Column('timestamptz', { nullable: true })
  rolledUpTo!: Date | null;
}
