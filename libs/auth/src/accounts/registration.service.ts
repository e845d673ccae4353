import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import { Transactions } from '#database';
import type { Caller } from '../access/caller.js';
import { SignUpThrottle } from '../limits/sign-up-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { PrincipalUser } from '../principals/principal.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { EmailVerification } from '../verification/email-verification.js';
import { FirstSlice } from './first-slice.js';
import type { Registered, RegistrationInput } from './schemas.js';
import { FIRST_GENERATION, Users } from './users.js';
import { WithCookie } from './with-cookie.js';

/** Signing up. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly throttle: SignUpThrottle,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly firstSlice: FirstSlice,
    private readonly transactions: Transactions,
    private readonly verification: EmailVerification,
  ) {}

  /**
   * Makes a customer's account, signs the browser in, and gives the customer a slice, now or once the address is verified.
   * @throws AuthError EMAIL_TAKEN, LOGIN_BUSY, AMBIGUOUS_SESSION, CoreError RATE_LIMITED; then there is no account
   *   either
   * @throws AuthError REGISTERED_NOT_SIGNED_IN; then there is one
   */
  async register(input: RegistrationInput, caller: Caller): Promise<WithCookie<Registered>> {
    // Before the account is made: a sign-up that is refused must leave nothing behind.
    this.sessions.presentedBy(caller);
    const user = await this.throttle.admit(caller.ip, async () => {
      const passwordHash = await this.passwords.hash(input.password);
      return this.transactions.run(() => this.create(input, passwordHash));
    });
    // Before the session: where that can't be opened, the slice waits for the customer to sign in.
    const slice = await this.firstSlice.giveTo(user);
    const cookie = await this.signIn(user, caller);
    return new WithCookie({ user, sliceAssigned: slice?.status === 'active', slice }, cookie);
  }

  /**
   * The account stands by now. Whoever is told only that something failed would try again, and be told that the address
   * is taken. Its owner, or the operator, may have ended all access to it by now, and that holds.
   */
  private async signIn(user: PrincipalUser, caller: Caller): Promise<string> {
    try {
      return await this.sessions.open(user.id, caller, { generation: FIRST_GENERATION });
    } catch (cause) {
      throw new AuthError(
        'REGISTERED_NOT_SIGNED_IN',
        'Your account was made, but you could not be signed in. Please sign in with your password in a moment.',
        { cause },
      );
    }
  }

  /** The account, and the mail that asks whether the address is right: neither is there without the other. */
  private async create({ email, name }: RegistrationInput, passwordHash: string): Promise<PrincipalUser> {
    const user = await this.users.create({ email, name: name ?? null, passwordHash, role: 'member' });
    await this.verification.begin(user);
    return user;
  }
}
