import { Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthLimits } from './auth-limits.js';
import { HitCounter } from './hit-counter.js';
import { networkOf } from './network-of.js';
import { rateLimited } from './rate-limited.js';

/**
 * Slows down guessing a password. One network is refused after ten tries a minute at one account. Tries from
 * anywhere at all make each further answer for that account slower, to a bound, and refuse nobody.
 *
 * The delay comes before the password is looked at and counts each try as it arrives, so that neither leaving early
 * nor trying many at once gets around it. A sign-in that succeeds clears both counts.
 */
@Injectable()
export class LoginThrottle {
  constructor(
    private readonly hits: HitCounter,
    private readonly limits: AuthLimits,
  ) {}

  /**
   * Lets a try at this account begin, now or after a while.
   * @throws CoreError RATE_LIMITED
   */
  async admit(email: string, ip: string): Promise<void> {
    const { loginsPerAccountAndNetwork, windowSeconds, slowDownSeconds } = this.limits;
    const here = await this.hits.hit(fromNetwork(email, ip), windowSeconds);
    const refusal = rateLimited(
      here,
      loginsPerAccountAndNetwork,
      'Too many sign-ins to this account. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
    const anywhere = await this.hits.hit(fromAnywhere(email), slowDownSeconds);
    const delayMs = delayAfter(anywhere.count, this.limits);
    if (delayMs > 0) await delay(delayMs);
  }

  /** The password was right: whoever tried before, its owner need not suffer for it. */
  async succeeded(email: string, ip: string): Promise<void> {
    await this.hits.forget(fromNetwork(email, ip));
    await this.hits.forget(fromAnywhere(email));
  }
}

/** Milliseconds that the `n`-th try in a row waits. */
export function delayAfter(n: number, limits: AuthLimits): number {
  const slowed = n - limits.promptLogins;
  return slowed <= 0 ? 0 : Math.min(limits.maxDelayMs, limits.firstDelayMs * 2 ** (slowed - 1));
}

function fromNetwork(email: string, ip: string): string {
  return `login:${networkOf(ip)}:${email}`;
}

function fromAnywhere(email: string): string {
  return `login:anywhere:${email}`;
}
