import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * This installation's name: one row, made by the first migration. Containers, volumes, networks and databases carry
 * it, and nothing without it is ever touched.
 */
@Entity('installation')
export class Installation {
  /** Eight hexadecimal digits. */
  @PrimaryColumn('text')
  id!: string;

  /** What `SECRET_KEY` makes of the id: tells a gateway that was started with another key. */
  @Column('bytea', { nullable: true })
  secretCheck!: Buffer | null;

  /** Which folder holds the process slices: their files are on one host, in one DATA_DIR. */
  @Column('text', { nullable: true })
  processHome!: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt!: Date;
}
