import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import type { User } from '#database';
import type { Caller } from '../access/caller.js';
import { LoginThrottle } from '../limits/login-throttle.js';
import { networkOf } from '../limits/network-of.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { GatewayTokens } from '../tokens/gateway-tokens.js';
import type { AdminTokenIssued } from '../tokens/schemas.js';
import { AdminTwoFactors } from '../totp/admin-two-factors.js';
import { SecondFactor } from '../totp/second-factor.js';
import type { LoginInput, SignedIn } from './schemas.js';
import { SliceAllocator } from './slice-allocator.js';
import { publicUser, Users } from './users.js';
import { WithCookie } from './with-cookie.js';

/** Signing in with a password. */
@Injectable()
export class LoginService {
  constructor(
    private readonly throttle: LoginThrottle,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly slices: SliceAllocator,
    private readonly secondFactor: SecondFactor,
    private readonly adminTwoFactors: AdminTwoFactors,
    private readonly tokens: GatewayTokens,
  ) {}

  /**
   * Signs in: a browser with a session, an admin's tool with a token.
   * @throws AuthError INVALID_CREDENTIALS, ACCOUNT_DISABLED, TOTP_REQUIRED, TOTP_INVALID, TOTP_ENROLMENT_REQUIRED,
   * LOGIN_BUSY
   * @throws CoreError RATE_LIMITED
   */
  async login(input: LoginInput, caller: Caller): Promise<WithCookie<SignedIn | AdminTokenIssued>> {
    const { account, wants } = input;
    await this.throttle.admit(account, caller.ip);
    const user = await this.authenticate(input, caller);
    // Only now: who guesses codes must not be rid of the count by knowing the password.
    await this.throttle.succeeded(account, caller.ip);
    return wants === 'token' ? this.issueToken(user) : this.openSession(user, caller);
  }

  private async openSession(user: User, caller: Caller): Promise<WithCookie<SignedIn>> {
    const cookie = await this.sessions.open(user.id, caller, { generation: user.tokenGeneration });
    const slice = await this.slices.sliceOf(user.id);
    return new WithCookie({ user: publicUser(user), slice }, cookie);
  }

  private async issueToken(user: User): Promise<WithCookie<AdminTokenIssued>> {
    this.adminTwoFactors.check(publicUser(user));
    const token = await this.tokens.forAdmin(user);
    return new WithCookie({ success: true, token, user: { username: user.email, role: 'admin' } }, null);
  }

  /**
   * An unknown address and a wrong password give the same answer, after the same work; so does the right password of
   * somebody who is no admin, where a token is wanted.
   */
  private async authenticate({ account, wants, password, totp }: LoginInput, { ip }: Caller): Promise<User> {
    const user = await this.users.findByEmail(account);
    const stored = user?.passwordHash ?? null;
    const matches = await this.passwords.verify(password, stored, networkOf(ip));
    const mayHave = wants === 'session' || user?.role === 'admin';
    if (user === null || stored === null || !matches || !mayHave) {
      throw new AuthError('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
    }
    // Said only to whoever knows the password.
    if (user.disabledAt !== null) {
      throw new AuthError('ACCOUNT_DISABLED', 'This account is disabled. Please ask the operator.');
    }
    if (this.passwords.isOutdated(stored)) {
      await this.users.replacePasswordHash(user.id, stored, await this.passwords.hash(password));
    }
    await this.secondFactor.require(user, totp);
    return user;
  }
}
