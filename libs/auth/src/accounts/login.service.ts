import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import type { User } from '#database';
import type { Caller } from '../access/caller.js';
import { LoginThrottle } from '../limits/login-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { LoginInput, SignedIn } from './schemas.js';
import { SliceAllocator } from './slice-allocator.js';
import { publicUser, Users } from './users.js';
import { WithCookie } from './with-cookie.js';

/** Signing in with a password, and signing out. */
@Injectable()
export class LoginService {
  constructor(
    private readonly throttle: LoginThrottle,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly slices: SliceAllocator,
  ) {}

  /**
   * Signs in.
   * @throws AuthError INVALID_CREDENTIALS, ACCOUNT_DISABLED, LOGIN_BUSY
   * @throws CoreError RATE_LIMITED
   */
  async login({ email, password }: LoginInput, caller: Caller): Promise<WithCookie<SignedIn>> {
    await this.throttle.admit(email, caller.ip);
    const user = await this.authenticate(email, password);
    await this.throttle.succeeded(email, caller.ip);
    const cookie = await this.sessions.open(user.id, caller);
    const slice = await this.slices.sliceOf(user.id);
    return new WithCookie({ user: publicUser(user), slice }, cookie);
  }

  /** Signs out; also a browser that was not signed in. Resolves when every replica has been told. */
  async logout(caller: Caller): Promise<WithCookie<undefined>> {
    return new WithCookie(undefined, await this.sessions.close(caller));
  }

  /** An unknown address and a wrong password give the same answer, after the same work. */
  private async authenticate(email: string, password: string): Promise<User> {
    const user = await this.users.findByEmail(email);
    const stored = user?.passwordHash ?? null;
    const matches = await this.passwords.verify(password, stored);
    if (user === null || stored === null || !matches) {
      throw new AuthError('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
    }
    // Said only to whoever knows the password.
    if (user.disabledAt !== null) {
      throw new AuthError('ACCOUNT_DISABLED', 'This account is disabled. Please ask the operator.');
    }
    if (this.passwords.isOutdated(stored)) {
      await this.users.changePasswordHash(user.id, await this.passwords.hash(password));
    }
    return user;
  }
}
