import { Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** A code that stands in once for a lost authenticator. Using it deletes the row. */
@Entity('recovery_code')
export class RecoveryCode {
  @PrimaryColumn('uuid')
  userId!: string;

  /** HMAC of the code; its key is the TOTP secret of the account, which outlasts a rotation of SECRET_KEY. */
  @PrimaryColumn('bytea')
  codeHash!: Buffer;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: Relation<User>;
}
