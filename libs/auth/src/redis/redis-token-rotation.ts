import { SecretBox } from '#common';
import type { RotatedColumn } from '#database';
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

/** Seals the providers' tokens of sessions in Redis with the current key, as SecretRotation does in the database. */
export class RedisTokenRotation {
  constructor(
    private readonly redis: RedisConnection,
    private readonly box: SecretBox,
  ) {}

  async run(): Promise<RotatedColumn> {
    let [resealed, unreadable] = [0, 0];
    await this.redis.run(async (client) => {
      for await (const keys of client.scanIterator({ MATCH: `${PREFIX}*`, TYPE: 'hash', COUNT: BATCH })) {
        for (const key of keys) {
          const outcome = await this.reseal(client, key);
          if (outcome === 'resealed') resealed++;
          if (outcome === 'unreadable') unreadable++;
        }
      }
    });
    return { name: 'session tokens in Redis', resealed, unreadable };
  }

  private async reseal(client: RedisClient, key: string): Promise<'resealed' | 'unreadable' | 'current'> {
    const stored = await client.hGet(key, FIELD);
    if (typeof stored !== 'string') return 'current';
    const sealed = Buffer.from(stored, 'base64');
    const { currentPrefix } = this.box;
    if (sealed.subarray(0, currentPrefix.length).equals(currentPrefix)) return 'current';
    const anew = this.sealAnew(key.slice(PREFIX.length), sealed);
    if (anew === null) return 'unreadable';
    await client.eval(REPLACE, { keys: [key], arguments: [stored, anew.toString('base64')] });
    return 'resealed';
  }

  private sealAnew(sessionHash: string, sealed: Buffer): Buffer | null {
    try {
      return sealTokens(this.box, sessionHash, openTokens(this.box, sessionHash, sealed));
    } catch {
      return null;
    }
  }
}
