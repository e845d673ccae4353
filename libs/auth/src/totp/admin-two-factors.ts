import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import { AppConfig } from '#config';

/**
 * With `ADMIN_REQUIRE_TOTP` an account with the role `admin` is one at `/admin` only with two factors. It can sign in
 * nevertheless, and enrol: the first admin has to.
 */
@Injectable()
export class AdminTwoFactors {
  constructor(private readonly config: AppConfig) {}

  /** @throws AuthError TOTP_ENROLMENT_REQUIRED */
  check({ totpEnabled }: { readonly totpEnabled: boolean }): void {
    if (totpEnabled || !this.config.admin.requireTotp) return;
    throw new AuthError(
      'TOTP_ENROLMENT_REQUIRED',
      'Admins need two factors here. Set yours up first: POST /auth/totp/enroll.',
    );
  }
}
