import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the monitor remembers of a slice that is not well, so that another replica goes on where one ended. */
@Entity('slice_watch')
export class SliceWatch {
  @PrimaryColumn('integer')
  sliceId!: number;

  /** Of the slice; another one is a new start, for which nobody's old failures count. */
  @Column('integer')
  generation!: number;

  /** Failed checks in a row. */
  @Column('integer')
  failures!: number;

  /** Healthy checks in a row. */
  @Column('integer')
  successes!: number;

  /** How often it was restarted for this trouble. */
  @Column('integer')
  restarts!: number;

  @Column('timestamptz', { nullable: true })
  restartNotBefore!: Date | null;
}
