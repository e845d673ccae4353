import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Slice } from './slice.entity.js';

export type SliceEventOutcome = 'begun' | 'done' | 'failed';

/** A step that the reconciler took with a slice. The trigger of the table tells every replica of each. */
@Entity('slice_event')
@Check('slice_event_outcome_check', `"outcome" IN ('begun', 'done', 'failed')`)
@Index('slice_event_slice', ['sliceId', 'id'])
@Index('slice_event_at', ['at'])
export class SliceEvent {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id!: string;

  @Column('integer')
  sliceId!: number;

  @ManyToOne(() => Slice, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'slice_id' })
  slice?: Relation<Slice>;

  /** Of the slice, that the step was to bring about. */
  @Column('integer')
  generation!: number;

  @Column('text')
  step!: string;

  @Column('text')
  outcome!: SliceEventOutcome;

  @Column('timestamptz')
  at!: Date;

  /** How long it took; null while nobody knows. */
  @Column('integer', { nullable: true })
  durationMs!: number | null;

  /** What went wrong, in words for the operator. */
  @Column('text', { nullable: true })
  message!: string | null;
}
