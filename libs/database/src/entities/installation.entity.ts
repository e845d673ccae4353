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

  @Column('timestamptz', { default: () => 'now()' })
  createdAt!: Date;
}
