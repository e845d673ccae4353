import { Injectable } from '@nestjs/common';
import { AuthError, Clock, CoreError } from '#common';
import { AppConfig } from '#config';
import type { Caller } from '../access/caller.js';
import { Reauthentication, reauthenticationRequired } from '../accounts/reauthentication.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { CodeThrottle } from './code-throttle.js';
import { newTotpSecret, normalizeCode, otpauthUrl, stepOfCode } from './one-time-codes.js';
import { RecentSignIn } from './recent-sign-in.js';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery-codes.js';
import type { Confirmation, Enrolment, EnrolmentRequest, RecoveryCodes, Removal } from './schemas.js';
import { SecondFactor, totpInvalid } from './second-factor.js';
import { TotpFactors } from './totp-factors.js';

/** Turning a second factor on and off. */
@Injectable()
export class TotpService {
  constructor(
    private readonly config: AppConfig,
    private readonly factors: TotpFactors,
    private readonly secondFactor: SecondFactor,
    private readonly codes: CodeThrottle,
    private readonly recent: RecentSignIn,
    private readonly reauthentication: Reauthentication,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a secret for an authenticator app. It counts for nothing until {@link confirm}.
   * @throws AuthError REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS, TOTP_ALREADY_ENABLED
   */
  async enroll(session: SessionPrincipal, request: EnrolmentRequest, caller: Caller): Promise<Enrolment> {
    const { user } = session;
    await this.reauthentication.require(session, request.password, caller);

    const secret = newTotpSecret();
    if (!(await this.factors.begin(user.id, secret))) throw alreadyEnabled();
    const url = otpauthUrl(secret, this.issuer(), user.email);
    return { secret, otpauthUrl: url, qr: await qrCode(url) };
  }

  /**
   * Turns the second factor on, and signs out everywhere else: who was signed in by one factor is so no longer.
   * @returns the recovery codes, which are shown this once
   * @throws AuthError TOTP_INVALID, TOTP_NOT_ENROLLED, TOTP_ALREADY_ENABLED
   */
  async confirm({ user, sessionHash }: SessionPrincipal, { code }: Confirmation): Promise<RecoveryCodes> {
    await this.codes.admit(user.id);
    const factor = await this.factors.of(user.id);
    if (factor === null) throw notEnrolled();
    if (factor.confirmed) throw alreadyEnabled();
    const step = stepOfCode(normalizeCode(code), factor.secret, this.clock.nowMs());
    if (step === null) throw totpInvalid();

    const recoveryCodes = newRecoveryCodes();
    const recoveryHashes = recoveryCodes.map((each) => hashOfRecoveryCode(each, factor.secret));
    await this.sessions.endAll(user.id, {
      except: sessionHash,
      change: async (manager) => {
        const confirmed = await this.factors.confirm(manager, user.id, { factor, step, recoveryHashes });
        if (!confirmed) throw alreadyEnabled();
      },
    });
    await this.codes.succeeded(user.id);
    return { recoveryCodes };
  }

  /**
   * Turns the second factor off, or gives an enrolment up. The password would not do in place of a code: whoever has
   * it needs only a stolen session to be rid of what protects against them.
   * @throws AuthError REAUTHENTICATION_REQUIRED, TOTP_INVALID
   * @throws CoreError CONFLICT when it was changed meanwhile: an enrolment that needs no code to be given up may be one
   * that does by now
   */
  async remove(session: SessionPrincipal, { code }: Removal): Promise<void> {
    const { user } = session;
    const factor = await this.factors.of(user.id);
    if (factor === null) return;
    if (factor.confirmed) {
      if (code !== undefined) await this.secondFactor.use(user.id, code);
      else if (!(await this.recent.isRecent(session))) throw reauthenticationRequired('code');
    }
    if (!(await this.factors.removeThis(user.id, factor))) throw changedMeanwhile();
  }

  /** Whom the app shows the account to be with: customers know the host, not Sluice. A colon would end the name. */
  private issuer(): string {
    const { appUrl } = this.config.http;
    return appUrl === null ? 'localhost' : new URL(appUrl).hostname.replaceAll(/[[\]:]/g, '');
  }
}

function alreadyEnabled(): AuthError {
  return new AuthError('TOTP_ALREADY_ENABLED', 'Two factors are on already. Turn them off first.');
}

function changedMeanwhile(): CoreError {
  return new CoreError(
    'CONFLICT',
    'Two factors of this account were just changed. Look at what they are now.',
  );
}

function notEnrolled(): AuthError {
  return new AuthError('TOTP_NOT_ENROLLED', 'Begin with POST /auth/totp/enroll.');
}

/**
 * A text as a PNG, in a data URI. Of the five ways to filter a row of a PNG the plain one: black and white squares deflate
 * as well, and trying all five for each row takes twice as long on the thread that everybody waits for.
 */
async function qrCode(text: string): Promise<string> {
  // Loaded when the first one is asked for, and not at each start.
  const { toBuffer } = await import('qrcode');
  // A fresh one each time: the library writes into it.
  const rendererOpts = { filterType: 0, deflateLevel: 9, deflateStrategy: 0 };
  const png = await toBuffer(text, { type: 'png', rendererOpts });
  return `data:image/png;base64,${png.toString('base64')}`;
}
