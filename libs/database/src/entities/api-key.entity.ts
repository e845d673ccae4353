import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** The key of a worker. */
@Entity('api_key')
export class ApiKey {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  workerType!: string;

  /** `METHOD /path*` each; null: whatever a key may call. */
  @Column('text', { array: true, nullable: true })
  scopes!: string[] | null;

  /** The key, sealed for `api-key:<id>`. */
  @Column('bytea')
  keySealed!: Buffer;

  /** Keyed hash of the key, by which it is found. */
  @Column('bytea', { unique: true })
  keyMac!: Buffer;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz', { nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  lastUsedAt!: Date | null;

  @Column('bigint', { default: 0, transformer: bigintAsNumber })
  requestCount!: number;
}
