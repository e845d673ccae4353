import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the comparison with Stripe has come: one row, or none before the first. */
@Entity('billing_sync')
@Check('billing_sync_one_row_check', `"id" = 1`)
export class BillingSyncState {
  @PrimaryColumn('smallint')
  id!: number;

  @Column('timestamptz')
  startedAt!: Date;

  /** The last subscription that was compared; where a run that was broken off goes on. */
  @Column('text', { nullable: true })
  cursor!: string | null;

  /** Null while a run is under way, or was broken off. */
  @Column('timestamptz', { nullable: true })
  finishedAt!: Date | null;

  @Column('integer', { default: 0 })
  compared!: number;

  @Column('integer', { default: 0 })
  repaired!: number;

  @Column('integer', { default: 0 })
  skipped!: number;
}
