import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Something that is wrong now, and whether the operator was told. Gone when it is well again. */
@Entity('outage')
export class Outage {
  /** What it is about: `slice:12`, `backend:http://…`, `disk:<name>`, `connections`, `runtime`. */
  @PrimaryColumn('text')
  subject!: string;

  @Column('timestamptz')
  since!: Date;

  /** For the operator; the latest. */
  @Column('text')
  reason!: string;

  /** Since when it looks well again; it ends when that has lasted. */
  @Column('timestamptz', { nullable: true })
  wellSince!: Date | null;

  @Column('timestamptz', { nullable: true })
  notifiedAt!: Date | null;

  /** Of a disk: when it was looked at last. One whose gateway has gone for good is looked at by nobody. */
  @Column('timestamptz', { default: () => 'now()' })
  seenAt!: Date;
}
