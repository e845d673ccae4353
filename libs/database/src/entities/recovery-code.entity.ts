import { Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** A code that stands in once for a lost authenticator. Using it deletes the row. */
@Entity('recovery_code')
export class RecoveryCode {
  @PrimaryColumn('uuid')
  userId!: string;

  /** Keyed hash of the code (`SecretBox.mac`): too short to be kept by a plain one. */
  @PrimaryColumn('bytea')
  codeHash!: Buffer;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: Relation<User>;
}
