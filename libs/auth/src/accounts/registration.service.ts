import { Injectable, Logger } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { PrincipalUser } from '../principals/principal.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Registered, RegistrationInput } from './schemas.js';
import { type CustomerSlice, SliceAllocator } from './slice-allocator.js';
import { Users } from './users.js';
import { WithCookie } from './with-cookie.js';

/** Signing up. */
@Injectable()
export class RegistrationService {
  private readonly logger = new Logger(RegistrationService.name);

  constructor(
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly slices: SliceAllocator,
  ) {}

  /**
   * Makes a customer's account, signs the browser in, and gives the customer a slice.
   * @throws AuthError EMAIL_TAKEN, LOGIN_BUSY, AMBIGUOUS_SESSION; then there is no account either
   */
  async register(input: RegistrationInput, caller: Caller): Promise<WithCookie<Registered>> {
    // Before the account is made: a sign-up that is refused must leave nothing behind.
    this.sessions.presentedBy(caller);
    const user = await this.users.create({
      email: input.email,
      name: input.name ?? null,
      passwordHash: await this.passwords.hash(input.password),
      role: 'member',
    });
    const cookie = await this.sessions.open(user.id, caller);
    const slice = await this.allocate(user);
    return new WithCookie({ user, sliceAssigned: slice?.status === 'active', slice }, cookie);
  }

  /** The account stands whether or not a slice could be had: the customer would only be told that it is taken. */
  private async allocate(user: PrincipalUser): Promise<CustomerSlice | null> {
    try {
      return await this.slices.allocate(user);
    } catch (error) {
      this.logger.error({ err: error, userId: user.id }, 'a new customer was given no slice');
      return null;
    }
  }
}
