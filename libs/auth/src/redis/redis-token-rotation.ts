import { SecretBox } from '#common';
import type { RotatedPart, SealedPlace } from '#database';
import { openTokens, sealTokens } from '../sessions/provider-tokens.js';
import type { RedisClient, RedisConnection } from './redis-connection.js';

const PREFIX = 'session:';
const FIELD = 'tokens';
const BATCH = 500;

/** The tokens as they were read, and as they are to be: changed only as long as nobody else has. */
const REPLACE = `
if redis.call('HGET', KEYS[1], '${FIELD}') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], '${FIELD}', ARGV[2])
return 1`;

/** A session's tokens that are not sealed with the current key. */
interface StaleTokens {
  readonly key: string;
  /** As Redis has them, in base64. */
  readonly stored: string;
}

/** Seals the providers' tokens of sessions in Redis with the current key, as SecretRotation does in the database. */
export class RedisTokenRotation implements SealedPlace {
  constructor(
    private readonly redis: RedisConnection,
    private readonly box: SecretBox,
  ) {}

  async rotate(): Promise<RotatedPart> {
    let [resealed, unreadable] = [0, 0];
    await this.redis.run(async (client) => {
      for await (const { key, stored } of this.stale(client)) {
        const anew = this.sealAnew(key.slice(PREFIX.length), stored);
        if (anew === null) unreadable++;
        else {
          await client.eval(REPLACE, { keys: [key], arguments: [stored, anew.toString('base64')] });
          resealed++;
        }
      }
    });
    return { name: 'session tokens in Redis', resealed, unreadable };
  }

  isDone(): Promise<boolean> {
    return this.redis.run(async (client) => {
      for await (const _ of this.stale(client)) return false;
      return true;
    });
  }

  private async *stale(client: RedisClient): AsyncGenerator<StaleTokens> {
    const { currentPrefix } = this.box;
    for await (const keys of client.scanIterator({ MATCH: `${PREFIX}*`, TYPE: 'hash', COUNT: BATCH })) {
      for (const key of keys) {
        const stored = await client.hGet(key, FIELD);
        if (typeof stored !== 'string') continue;
        const prefix = Buffer.from(stored, 'base64').subarray(0, currentPrefix.length);
        if (!prefix.equals(currentPrefix)) yield { key, stored };
      }
    }
  }

  private sealAnew(sessionHash: string, stored: string): Buffer | null {
    try {
      const tokens = openTokens(this.box, sessionHash, Buffer.from(stored, 'base64'));
      return sealTokens(this.box, sessionHash, tokens);
    } catch {
      return null;
    }
  }
}
