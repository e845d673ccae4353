import { Injectable } from '@nestjs/common';
import { AuthError, Mailer } from '#common';
import type { Caller } from '../access/caller.js';
import { Users } from '../accounts/users.js';
import { LoginThrottle } from '../limits/login-throttle.js';
import type { PrincipalUser, SessionPrincipal } from '../principals/principal.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { passwordChangedMail } from '../verification/mails.js';
import { OneTimeTokens } from '../verification/one-time-tokens.js';
import type { PasswordChangeInput } from '../verification/schemas.js';
import { PasswordHasher } from './password-hasher.js';

/** Another password for whoever knows the present one. */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly throttle: LoginThrottle,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly tokens: OneTimeTokens,
    private readonly mailer: Mailer,
  ) {}

  /**
   * Changes the password, and signs out everywhere but here. Guessing the present one is throttled as a sign-in is:
   * a stolen session must not be a way around that.
   * @throws AuthError INVALID_CREDENTIALS, PASSWORD_NOT_SET, LOGIN_BUSY
   * @throws CoreError RATE_LIMITED
   */
  async change(
    { user, sessionHash }: SessionPrincipal,
    input: PasswordChangeInput,
    { ip }: Caller,
  ): Promise<void> {
    await this.throttle.admit(user.email, ip);
    const stored = await this.authenticate(user, input.current);
    await this.throttle.succeeded(user.email, ip);
    const passwordHash = await this.passwords.hash(input.next);
    await this.sessions.endAll(user.id, {
      except: sessionHash,
      change: async () => {
        // Changed meanwhile: then the present password was another one.
        if (!(await this.users.replacePasswordHash(user.id, stored, passwordHash))) throw wrongPassword();
        await this.tokens.revoke(user.id, 'reset-password');
        await this.mailer.send(passwordChangedMail(user.email));
      },
    });
  }

  /** The hash that the password was verified against. */
  private async authenticate({ id }: PrincipalUser, password: string): Promise<string> {
    const account = await this.users.findById(id);
    const stored = account?.passwordHash ?? null;
    if (stored === null) {
      throw new AuthError(
        'PASSWORD_NOT_SET',
        'This account has no password. To choose one, ask for a link by POST /auth/password/forgot.',
      );
    }
    if (!(await this.passwords.verify(password, stored))) throw wrongPassword();
    return stored;
  }
}

function wrongPassword(): AuthError {
  return new AuthError('INVALID_CREDENTIALS', 'The current password is wrong.');
}
