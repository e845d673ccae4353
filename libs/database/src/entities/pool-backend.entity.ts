import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
  Unique,
} from 'typeorm';
import { Pool } from './pool.entity.js';

/** A server in a pool. */
@Entity('pool_backend')
@Unique(['pool', 'url'])
export class PoolBackend {
  @PrimaryColumn('uuid')
  id!: string;

  /** The name of its pool. */
  @Column('text')
  pool!: string;

  @ManyToOne(() => Pool, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'pool' })
  ofPool?: Relation<Pool>;

  /** Canonical: without the scheme's own port, and without a final slash. */
  @Column('text')
  url!: string;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;
}
