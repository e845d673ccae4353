import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A sign-in by OIDC that has begun: what the callback needs to finish it. Taking it deletes the row. */
@Entity('login_state')
export class LoginState {
  /** SHA-256 of the `state` parameter. */
  @PrimaryColumn('bytea')
  stateHash!: Buffer;

  /** Nonce, PKCE verifier, where to return to (JSON), sealed for `login-state:<hash>`. */
  @Column('bytea')
  sealed!: Buffer;

  @Index()
  @Column('timestamptz')
  expiresAt!: Date;
}
