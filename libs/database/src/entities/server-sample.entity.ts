import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** How the machine of the gateway that watches was at one moment, and the database server. */
@Entity('server_sample')
export class ServerSample {
  @PrimaryColumn('timestamptz')
  at!: Date;

  /** Of all cores together, since the sample before; null for the first one. */
  @Column('real', { nullable: true })
  cpuPercent!: number | null;

  /** Over one minute. */
  @Column('real')
  load!: number;

  @Column('bigint', { transformer: bigintAsNumber })
  memoryUsedBytes!: number;

  @Column('bigint', { transformer: bigintAsNumber })
  memoryTotalBytes!: number;

  /** Of the file system under DATA_DIR; null where it does not tell. */
  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  diskUsedBytes!: number | null;

  @Column('bigint', { nullable: true, transformer: bigintAsNumber })
  diskTotalBytes!: number | null;

  /** Connections to PostgreSQL, everybody's. */
  @Column('integer', { nullable: true })
  connections!: number | null;

  @Column('integer', { nullable: true })
  maxConnections!: number | null;
}
