import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock, Mailer } from '#common';
import { Transactions } from '#database';
import type { Caller } from '../access/caller.js';
import { FirstSlice } from '../accounts/first-slice.js';
import { type AccountAddress, publicUser, Users } from '../accounts/users.js';
import { LoginThrottle } from '../limits/login-throttle.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { TotpFactors } from '../totp/totp-factors.js';
import { AfterAnswer } from '../verification/after-answer.js';
import { linkInvalid, MailedLinks } from '../verification/mailed-links.js';
import { MailThrottle } from '../verification/mail-throttle.js';
import { passwordChangedMail, passwordResetMail } from '../verification/mails.js';
import { OneTimeTokens } from '../verification/one-time-tokens.js';
import type { PasswordResetInput } from '../verification/schemas.js';
import { PasswordHasher } from './password-hasher.js';

/** A new password for whoever forgot theirs, or never had one, by a mailed link. */
@Injectable()
export class PasswordReset {
  constructor(
    private readonly transactions: Transactions,
    private readonly tokens: OneTimeTokens,
    private readonly links: MailedLinks,
    private readonly mailer: Mailer,
    private readonly mails: MailThrottle,
    private readonly afterAnswer: AfterAnswer,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly factors: TotpFactors,
    private readonly sessions: SessionsService,
    private readonly logins: LoginThrottle,
    private readonly firstSlice: FirstSlice,
    private readonly clock: Clock,
  ) {}

  /**
   * Mails the link, if there is such an account. All that depends on that comes after the answer, so that neither the
   * answer nor its time tells.
   * @throws CoreError RATE_LIMITED for the network, whatever the address
   */
  async request(email: string, caller: Caller): Promise<void> {
    await this.mails.admitNetwork(caller.ip);
    this.afterAnswer.do('the mail that resets a password', () => this.mailLink(email, caller.ip));
  }

  /**
   * Sets the password. All sessions end and no other link works any more; the address is verified by the way, since
   * the link was mailed to it. Two factors stay on, unless they were set up before anybody had shown whose address it is.
   * @throws AuthError LINK_INVALID, LOGIN_BUSY
   */
  async reset({ token, password }: PasswordResetInput, caller: Caller): Promise<void> {
    // A look first: a token that is none must not cost a hash, and a server that is busy must not cost the token.
    const owner = await this.tokens.ownerOf(token, 'reset-password');
    if (owner === null) throw linkInvalid();
    const passwordHash = await this.passwords.hash(password);
    const verified = { isNews: false };
    await this.sessions.endAll(owner.userId, {
      change: async (manager) => {
        verified.isNews = await this.use(token, passwordHash, manager);
      },
    });
    await this.logins.succeeded(owner.email, caller.ip);
    if (verified.isNews) await this.giveSlice(owner);
  }

  private async mailLink(email: string, ip: string): Promise<void> {
    if ((await this.mails.waitFor(email, 'reset-password', ip)) > 0) return;
    const user = await this.users.findByEmail(email);
    if (user === null || user.disabledAt !== null) return;
    await this.transactions.run(async () => {
      const token = await this.tokens.issue({ userId: user.id, email }, 'reset-password');
      await this.mailer.send(passwordResetMail(email, this.links.to('/auth/password/reset', token)));
    });
  }

  /**
   * Of many requests with one token, one gets here first.
   * @returns whether this verified the address
   */
  private async use(token: string, passwordHash: string, manager: EntityManager): Promise<boolean> {
    const owner = await this.tokens.take(token, 'reset-password');
    if (owner === null || !(await this.users.setPassword(owner, passwordHash))) throw linkInvalid();
    await this.tokens.revoke(owner.userId);
    await this.mailer.send(passwordChangedMail(owner.email));
    const isNews = await this.users.markVerified(owner, this.clock.now());
    if (isNews) await this.dropStrangers(owner, manager);
    return isNews;
  }

  /**
   * Whoever came in before the owner may have tied a provider's account to it, or an authenticator of theirs. An admin's
   * factor stays: the operator knew whose account that is, and a mailbox alone must not open `/admin`.
   */
  private async dropStrangers({ userId }: AccountAddress, manager: EntityManager): Promise<void> {
    await this.users.dropIdentities(userId);
    const user = await this.users.findById(userId);
    if (user?.role !== 'admin') await this.factors.remove(userId, manager);
  }

  private async giveSlice({ userId }: AccountAddress): Promise<void> {
    const user = await this.users.findById(userId);
    if (user !== null) await this.firstSlice.giveAfterVerification(publicUser(user));
  }
}
