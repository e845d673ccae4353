import { z } from 'zod';
import { Clock, SecretBox } from '#common';
import { loginStateContext, LoginStates } from '../sessions/login-states.js';
import type { RedisConnection } from './redis-connection.js';

const recordSchema = z.object({ expiresAtMs: z.number(), sealed: z.string() });

/** Sign-ins under way in Redis: `state:<hash of the state>`. */
export class RedisLoginStates extends LoginStates {
  constructor(
    private readonly redis: RedisConnection,
    private readonly clock: Clock,
    private readonly box: SecretBox,
  ) {
    super();
  }

  override async put(stateHash: string, record: string, ttlMs: number): Promise<void> {
    const sealed = this.box.seal(record, loginStateContext(stateHash)).toString('base64');
    const value = JSON.stringify({ expiresAtMs: this.clock.nowMs() + ttlMs, sealed });
    const expiration = { type: 'PX', value: ttlMs } as const;
    await this.redis.run((client) => client.set(keyOf(stateHash), value, { expiration }));
  }

  override async take(stateHash: string): Promise<string | null> {
    const value = await this.redis.run((client) => client.getDel(keyOf(stateHash)));
    if (value === null) return null;
    const { expiresAtMs, sealed } = recordSchema.parse(JSON.parse(value));
    if (expiresAtMs <= this.clock.nowMs()) return null;
    return this.box.open(Buffer.from(sealed, 'base64'), loginStateContext(stateHash));
  }

  /** Redis deletes what has expired by itself. */
  override async sweep(): Promise<number> {
    return 0;
  }
}

function keyOf(stateHash: string): string {
  return `state:${stateHash}`;
}
