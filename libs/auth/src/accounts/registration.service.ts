import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';
import type { Caller } from '../access/caller.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { PrincipalUser } from '../principals/principal.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { EmailVerification } from '../verification/email-verification.js';
import { FirstSlice } from './first-slice.js';
import type { Registered, RegistrationInput } from './schemas.js';
import { Users } from './users.js';
import { WithCookie } from './with-cookie.js';

/** Signing up. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly firstSlice: FirstSlice,
    private readonly transactions: Transactions,
    private readonly verification: EmailVerification,
  ) {}

  /**
   * Makes a customer's account, signs the browser in, and gives the customer a slice, now or once the address is verified.
   * @throws AuthError EMAIL_TAKEN, LOGIN_BUSY, AMBIGUOUS_SESSION; then there is no account either
   */
  async register(input: RegistrationInput, caller: Caller): Promise<WithCookie<Registered>> {
    // Before the account is made: a sign-up that is refused must leave nothing behind.
    this.sessions.presentedBy(caller);
    const passwordHash = await this.passwords.hash(input.password);
    const user = await this.transactions.run(() => this.create(input, passwordHash));
    const cookie = await this.sessions.open(user.id, caller);
    const slice = await this.firstSlice.giveTo(user);
    return new WithCookie({ user, sliceAssigned: slice?.status === 'active', slice }, cookie);
  }

  /** The account, and the mail that asks whether the address is right: neither is there without the other. */
  private async create({ email, name }: RegistrationInput, passwordHash: string): Promise<PrincipalUser> {
    const user = await this.users.create({ email, name: name ?? null, passwordHash, role: 'member' });
    await this.verification.begin(user);
    return user;
  }
}
