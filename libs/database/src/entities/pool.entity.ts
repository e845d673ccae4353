import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A pool that was made, or added to, while the gateway ran. Those of config.yml are not here. */
@Entity('pool')
export class Pool {
  @PrimaryColumn('text')
  name!: string;

  /** What is asked of its backends; null where nobody has said. */
  @Column('text', { nullable: true })
  healthPath!: string | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;
}
