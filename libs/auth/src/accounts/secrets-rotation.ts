import { SecretBox } from '#common';
import { type Rotation, SecretRotation } from '#database';
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
   * @throws ConfigError when neither key fits the installation; then nothing was touched
   */
  run(): Promise<Rotation> {
    return this.database.run(this.redis === null ? [] : [new RedisTokenRotation(this.redis, this.box)]);
  }
}
