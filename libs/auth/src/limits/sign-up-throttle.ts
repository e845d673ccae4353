import { Injectable } from '@nestjs/common';
import { AppConfig } from '#config';
import { HitCounter } from './hit-counter.js';
import { networkOf } from './network-of.js';
import { rateLimited } from './rate-limited.js';

const HOUR_SECONDS = 3600;

/**
 * Limits the accounts that one network makes in an hour (docs/adr/0011): each takes a slice, and slices are finite. A
 * sign-up that makes no account is not counted.
 */
@Injectable()
export class SignUpThrottle {
  constructor(
    private readonly hits: HitCounter,
    private readonly config: AppConfig,
  ) {}

  /**
   * Lets a sign-up begin. It is counted before it is done, so that many at once can't all be the last one, and no
   * longer when it fails.
   * @throws CoreError RATE_LIMITED; and what `signUp` throws
   */
  async admit<T>(ip: string, signUp: () => Promise<T>): Promise<T> {
    const limit = this.config.signUpsPerHour;
    if (limit === 0) return signUp();
    const key = `sign-up:${networkOf(ip)}`;
    const refusal = rateLimited(
      await this.hits.hit(key, HOUR_SECONDS),
      limit,
      'Too many accounts were made from your network. Please wait before you sign up.',
    );
    try {
      if (refusal !== undefined) throw refusal;
      return await signUp();
    } catch (error) {
      await this.hits.takeBack(key, HOUR_SECONDS);
      throw error;
    }
  }
}
