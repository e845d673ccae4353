import { SecretBox } from '#common';
import { type RotatedColumn, SecretRotation } from '#database';
import { RedisConnection } from '../redis/redis-connection.js';
import { RedisTokenRotation } from '../redis/redis-token-rotation.js';

/** Rotates `SECRET_KEY` wherever something is sealed with it: in the database, and in Redis where that is used. */
export class SecretsRotation {
  /** @param redis null without `REDIS_URL` */
  constructor(
    private readonly database: SecretRotation,
    private readonly redis: RedisConnection | null,
    private readonly box: SecretBox,
  ) {}

  /**
   * Seals everything anew that is still sealed with the previous key; again, without harm.
   * @returns what was done where, and whether the previous key is of no use any more
   */
  async run(): Promise<{ parts: readonly RotatedColumn[]; complete: boolean }> {
    // First, for the database settles which key fits the installation once it is done.
    const inRedis = this.redis === null ? [] : [await new RedisTokenRotation(this.redis, this.box).run()];
    const { columns, complete } = await this.database.run();
    return {
      parts: [...columns, ...inRedis],
      complete: complete && inRedis.every(({ unreadable }) => unreadable === 0),
    };
  }
}
