import { Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Slice } from './slice.entity.js';

/**
 * A port of the range, held by a slice or free. A freed port rests until `availableAt`, so that no stale route leads
 * to another customer's slice.
 */
@Entity('slice_port')
@Index('slice_port_free', ['availableAt', 'port'], { where: '"slice_id" IS NULL' })
export class SlicePort {
  @PrimaryColumn('integer')
  port!: number;

  @Column('integer', { nullable: true })
  sliceId!: number | null;

  @OneToOne(() => Slice, { onDelete: 'RESTRICT', nullable: true })
  @JoinColumn({ name: 'slice_id' })
  slice?: Relation<Slice> | null;

  @Column('timestamptz', { default: () => `'-infinity'` })
  availableAt!: Date;
}
