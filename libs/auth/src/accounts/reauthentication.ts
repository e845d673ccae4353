import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import type { Caller } from '../access/caller.js';
import { LoginThrottle } from '../limits/login-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { PrincipalUser, SessionPrincipal } from '../principals/principal.js';
import { RecentSignIn } from '../totp/recent-sign-in.js';
import { Users } from './users.js';

/** For what a session cookie alone must not be enough: who asks has just signed in, or shows the password once more. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly recent: RecentSignIn,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly logins: LoginThrottle,
  ) {}

  /** @throws AuthError REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS, LOGIN_BUSY */
  async require(session: SessionPrincipal, password: string | undefined, caller: Caller): Promise<void> {
    if (password !== undefined) await this.checkPassword(session.user, password, caller);
    else if (!(await this.recent.isRecent(session))) throw reauthenticationRequired('password');
  }

  /** As at a sign-in, and as often. */
  private async checkPassword(user: PrincipalUser, password: string, caller: Caller): Promise<void> {
    await this.logins.admit(user.email, caller.ip);
    const account = await this.users.findByEmail(user.email);
    if (!(await this.passwords.verify(password, account?.passwordHash ?? null))) {
      throw new AuthError('INVALID_CREDENTIALS', 'The password is wrong.');
    }
    await this.logins.succeeded(user.email, caller.ip);
  }
}

/** @param field what the body may hold instead */
export function reauthenticationRequired(field: 'password' | 'code'): AuthError {
  return new AuthError(
    'REAUTHENTICATION_REQUIRED',
    `It is a while since you signed in. Send \`${field}\` as well, or sign in again; where an identity provider does that without asking you anything, sign out there first.`,
  );
}
