import { Injectable } from '@nestjs/common';
import { DataSource, LessThanOrEqual } from 'typeorm';
import { Clock, SecretBox } from '#common';
import { LoginState } from '#database';
import { loginStateContext, LoginStates } from './login-states.js';

/** Sign-ins under way in the gateway's own PostgreSQL: the default. */
@Injectable()
export class PostgresLoginStates extends LoginStates {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly box: SecretBox,
  ) {
    super();
  }

  override async put(stateHash: string, record: string, ttlMs: number): Promise<void> {
    await this.dataSource.getRepository(LoginState).insert({
      stateHash: bytesOf(stateHash),
      sealed: this.box.seal(record, loginStateContext(stateHash)),
      expiresAt: new Date(this.clock.nowMs() + ttlMs),
    });
  }

  override async take(stateHash: string): Promise<string | null> {
    const taken = await this.dataSource.query<Array<{ sealed: Buffer }>>(
      `WITH taken AS (DELETE FROM login_state WHERE state_hash = $1 RETURNING sealed, expires_at)
       SELECT sealed FROM taken WHERE expires_at > $2`,
      [bytesOf(stateHash), this.clock.now()],
    );
    const [state] = taken;
    return state === undefined ? null : this.box.open(state.sealed, loginStateContext(stateHash));
  }

  override async sweep(): Promise<number> {
    const { affected } = await this.dataSource
      .getRepository(LoginState)
      .delete({ expiresAt: LessThanOrEqual(this.clock.now()) });
    return affected ?? 0;
  }
}

function bytesOf(stateHash: string): Buffer {
  return Buffer.from(stateHash, 'base64url');
}
