import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import { AppConfig } from '#config';
import { AllowedOrigins } from '../origins/allowed-origins.js';

/** Paths of the pages that mailed links open. */
export type LinkedPage = '/auth/verify' | '/auth/password/reset';

/** The links in our mails. They come from the configuration: a link made of the `Host` header leads wherever its
 *  sender likes, and takes the token along (CWE-640). */
@Injectable()
export class MailedLinks {
  constructor(
    private readonly config: AppConfig,
    private readonly origins: AllowedOrigins,
  ) {}

  to(page: LinkedPage, token: string): string {
    const base = this.config.http.appUrl ?? this.origins.ownOrigin;
    return `${base}${page}?token=${token}`;
  }
}

/** One answer to every token that is worth nothing: unknown, used, expired, or for something else. */
export function linkInvalid(): AuthError {
  return new AuthError(
    'LINK_INVALID',
    'This link has expired or was used already. Ask for a new one; only the latest works.',
  );
}
