import { Injectable } from '@nestjs/common';
import { Clock, Mailer } from '#common';
import { Transactions } from '#database';
import type { Caller } from '../access/caller.js';
import { FirstSlice } from '../accounts/first-slice.js';
import type { Registered } from '../accounts/schemas.js';
import { SliceAllocator } from '../accounts/slice-allocator.js';
import { publicUser, Users } from '../accounts/users.js';
import type { PrincipalUser } from '../principals/principal.js';
import { linkInvalid, MailedLinks } from './mailed-links.js';
import { MailThrottle, tooManyMails } from './mail-throttle.js';
import { verificationMail } from './mails.js';
import { OneTimeTokens } from './one-time-tokens.js';

/** Finds out, by a mailed link, whether an account's e-mail address is its owner's. */
@Injectable()
export class EmailVerification {
  constructor(
    private readonly transactions: Transactions,
    private readonly tokens: OneTimeTokens,
    private readonly links: MailedLinks,
    private readonly mailer: Mailer,
    private readonly throttle: MailThrottle,
    private readonly users: Users,
    private readonly firstSlice: FirstSlice,
    private readonly slices: SliceAllocator,
    private readonly clock: Clock,
  ) {}

  /** Mails the link, which takes the place of an earlier one; part of the transaction under way. */
  async begin({ id: userId, email }: PrincipalUser): Promise<void> {
    await this.transactions.run(async () => {
      const token = await this.tokens.issue({ userId, email }, 'verify-email');
      await this.mailer.send(verificationMail(email, this.links.to('/auth/verify', token)));
    });
  }

  /**
   * Mails the link again; nothing when the address is verified already.
   * @throws CoreError RATE_LIMITED
   */
  async sendAgain(user: PrincipalUser, caller: Caller): Promise<void> {
    if (user.emailVerified) return;
    await this.throttle.admitNetwork(caller.ip);
    const waitSeconds = await this.throttle.waitFor(user.email, 'verify-email', caller.ip);
    if (waitSeconds > 0) throw tooManyMails(waitSeconds);
    await this.begin(user);
  }

  /**
   * The link was followed: the address is verified, and a slice that waited for it is given.
   * @throws AuthError LINK_INVALID
   */
  async verify(token: string): Promise<Registered> {
    const { user, isNews } = await this.transactions.run(() => this.use(token));
    if (isNews) await this.firstSlice.giveAfterVerification(user);
    const slice = await this.slices.sliceOf(user.id);
    return { user, sliceAssigned: slice?.status === 'active', slice };
  }

  private async use(token: string): Promise<{ user: PrincipalUser; isNews: boolean }> {
    const owner = await this.tokens.take(token, 'verify-email');
    if (owner === null) throw linkInvalid();
    const isNews = await this.users.markVerified(owner, this.clock.now());
    const user = await this.users.findById(owner.userId);
    if (user === null || user.email !== owner.email || user.disabledAt !== null) throw linkInvalid();
    return { user: publicUser(user), isNews };
  }
}
