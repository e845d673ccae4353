import { Injectable } from '@nestjs/common';
import { AuthError, Clock } from '#common';
import type { User } from '#database';
import { CodeThrottle } from './code-throttle.js';
import { isOneTimeCode, normalizeCode, stepOfCode } from './one-time-codes.js';
import { hashOfRecoveryCode } from './recovery-codes.js';
import { type TotpFactor, TotpFactors } from './totp-factors.js';

/** Asks for the second factor of accounts that have one. */
@Injectable()
export class SecondFactor {
  constructor(
    private readonly factors: TotpFactors,
    private readonly throttle: CodeThrottle,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets an account pass that has no second factor, or whose code is right; the code is used up by it. Called for
   * whoever knows the password only: nobody else learns that there is a second factor.
   * @throws AuthError TOTP_REQUIRED, TOTP_INVALID
   * @throws CoreError RATE_LIMITED
   */
  async require(user: User, code: string | undefined): Promise<void> {
    if (user.totpConfirmedAt === null) return;
    if (code === undefined || code === '') {
      throw new AuthError(
        'TOTP_REQUIRED',
        'Send the code of your authenticator app, or a recovery code, as `totp`.',
      );
    }
    await this.use(user.id, code);
  }

  /**
   * Uses up a code of the authenticator app or a recovery code.
   * @throws AuthError TOTP_INVALID when it is wrong, or was used before
   * @throws CoreError RATE_LIMITED
   */
  async use(userId: string, typed: string): Promise<void> {
    await this.throttle.admit(userId);
    const factor = await this.factors.of(userId);
    const taken = factor?.confirmed === true && (await this.take(userId, factor, normalizeCode(typed)));
    if (!taken) throw totpInvalid();
    await this.throttle.succeeded(userId);
  }

  private async take(userId: string, { secret }: TotpFactor, code: string): Promise<boolean> {
    if (!isOneTimeCode(code)) return this.factors.takeRecoveryCode(userId, hashOfRecoveryCode(code, secret));
    const step = stepOfCode(code, secret, this.clock.nowMs());
    return step !== null && this.factors.takeStep(userId, step);
  }
}

export function totpInvalid(): AuthError {
  return new AuthError('TOTP_INVALID', 'The code is wrong, or was used before. Wait for the next one.');
}
