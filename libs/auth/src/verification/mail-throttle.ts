import { Injectable } from '@nestjs/common';
import { CoreError } from '#common';
import type { OneTimeTokenPurpose } from '#database';
import { HitCounter } from '../limits/hit-counter.js';
import { networkOf } from '../limits/network-of.js';

const WINDOW_SECONDS = 3600;

/** How many mails somebody may cause in an hour. Injected by this class, so that tests can change them. */
export class MailLimits {
  /** Of one kind to one address, by whomever. */
  readonly perAddress: number = 5;
  /** To whatever addresses, by one network. */
  readonly perNetwork: number = 30;

  /** @param changed what is not to be as it stands above */
  constructor(changed: Partial<MailLimits> = {}) {
    Object.assign(this, changed);
  }
}

/** Keeps our mail server from being used to bury somebody's mailbox. */
@Injectable()
export class MailThrottle {
  constructor(
    private readonly hits: HitCounter,
    private readonly limits: MailLimits,
  ) {}

  /**
   * Counts a request for a mail against the network it comes from.
   * @throws CoreError RATE_LIMITED, whoever the mail would be for
   */
  async admitNetwork(ip: string): Promise<void> {
    const { count, resetSeconds } = await this.hits.hit(`mail:network:${networkOf(ip)}`, WINDOW_SECONDS);
    if (count > this.limits.perNetwork) throw tooManyMails(resetSeconds);
  }

  /** Counts a mail to an address; the seconds to wait when it is one too many, else 0. */
  async waitFor(email: string, purpose: OneTimeTokenPurpose): Promise<number> {
    const { count, resetSeconds } = await this.hits.hit(`mail:${purpose}:${email}`, WINDOW_SECONDS);
    return count > this.limits.perAddress ? resetSeconds : 0;
  }
}

export function tooManyMails(retryAfterSeconds: number): CoreError {
  return new CoreError('RATE_LIMITED', 'Too many mails were asked for. Please wait before you try again.', {
    retryAfterSeconds,
  });
}
