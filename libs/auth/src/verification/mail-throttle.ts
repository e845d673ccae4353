import { Injectable } from '@nestjs/common';
import { CoreError } from '#common';
import type { OneTimeTokenPurpose } from '#database';
import { HitCounter } from '../limits/hit-counter.js';
import { networkOf } from '../limits/network-of.js';

const WINDOW_SECONDS = 3600;

/** However many mails were asked for, one goes out each time that this has passed. */
const RESERVE_SECONDS = 900;

/** How many mails somebody may cause in an hour. Injected by this class, so that tests can change them. */
export class MailLimits {
  /** Of one kind to one address, by one network. */
  readonly perAddressAndNetwork: number = 5;
  /** Of one kind to one address, by whomever; above it one each 15 minutes. */
  readonly perAddress: number = 20;
  /** To whatever addresses, by one network. */
  readonly perNetwork: number = 30;

  /** @param changed what is not to be as it stands above */
  constructor(changed: Partial<MailLimits> = {}) {
    Object.assign(this, changed);
  }
}

/**
 * Keeps our mail server from being used to bury somebody's mailbox. One network is held to its own count. All networks
 * together are held to a trickle, not to nothing: else strangers who ask for somebody's mails kept the owner from
 * getting the one that is needed.
 */
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

  /** Counts a mail to an address, asked for from this one; the seconds to wait when it is one too many, else 0. */
  async waitFor(email: string, purpose: OneTimeTokenPurpose, ip: string): Promise<number> {
    const key = `mail:${purpose}:${email}`;
    const here = await this.hits.hit(`${key}:${networkOf(ip)}`, WINDOW_SECONDS);
    if (here.count > this.limits.perAddressAndNetwork) return here.resetSeconds;
    const anywhere = await this.hits.hit(key, WINDOW_SECONDS);
    if (anywhere.count <= this.limits.perAddress) return 0;
    const reserve = await this.hits.hit(`${key}:reserve`, RESERVE_SECONDS);
    return reserve.count > 1 ? reserve.resetSeconds : 0;
  }
}

export function tooManyMails(retryAfterSeconds: number): CoreError {
  return new CoreError('RATE_LIMITED', 'Too many mails were asked for. Please wait before you try again.', {
    retryAfterSeconds,
  });
}
