import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Slice } from './slice.entity.js';

/** An `Idempotency-Key` that was used to provision a slice; kept for 24 hours. */
@Entity('idempotency_key')
export class IdempotencyKey {
  @PrimaryColumn('text')
  key!: string;

  @Column('text')
  requestHash!: string;

  @Column('integer')
  sliceId!: number;

  @ManyToOne(() => Slice, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'slice_id' })
  slice?: Relation<Slice>;

  @Index()
  @Column('timestamptz')
  createdAt!: Date;
}
