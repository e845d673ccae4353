import { Injectable } from '@nestjs/common';
import { AuthLimits } from '../limits/auth-limits.js';
import { HitCounter } from '../limits/hit-counter.js';
import { rateLimited } from '../limits/rate-limited.js';

/**
 * Bounds the guessing of codes: three of a million are right at any moment, so that slowing down, as for passwords, is
 * not enough against many networks at once (RFC 4226 §7.3). Only whoever has the password, or a session, gets to try,
 * so nobody is locked out by a stranger.
 */
@Injectable()
export class CodeThrottle {
  constructor(
    private readonly hits: HitCounter,
    private readonly limits: AuthLimits,
  ) {}

  /**
   * Counts a try before it is looked at, so that many at once are counted as well.
   * @throws CoreError RATE_LIMITED
   */
  async admit(userId: string): Promise<void> {
    const hits = await this.hits.hit(keyOf(userId), this.limits.slowDownSeconds);
    const refusal = rateLimited(
      hits,
      this.limits.codesPerAccount,
      'Too many wrong codes. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
  }

  /** A code was right: earlier slips are forgotten. */
  async succeeded(userId: string): Promise<void> {
    await this.hits.forget(keyOf(userId));
  }
}

function keyOf(userId: string): string {
  return `totp:${userId}`;
}
