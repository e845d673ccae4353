import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { AuthError } from '#common';
import { principalOf } from '../principals/principal-of.js';
import { AllowedOrigins } from './allowed-origins.js';
import { csrfVerdict } from './csrf-verdict.js';

/**
 * Refuses what another site makes a browser do. Only a caller with a key or a token is exempt: a browser does not
 * send one by itself. Public endpoints are not, because sign-in and registration set a cookie: a form on a foreign page could
 * sign a visitor in to the attacker's account and wait for what they store there (login CSRF).
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(private readonly origins: AllowedOrigins) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const principal = principalOf(request);
    if (principal !== null && principal.kind !== 'session') return true;
    const { origin, referer, 'sec-fetch-site': secFetchSite } = request.headers;
    const verdict = csrfVerdict(
      { method: request.method, origin, referer, secFetchSite: secFetchSite?.toString() },
      (candidate) => this.origins.allows(candidate),
    );
    if (verdict === 'allowed') return true;
    throw csrfRejected();
  }
}

/** The refusal, for the edge as well. */
export function csrfRejected(): AuthError {
  return new AuthError(
    'CSRF_REJECTED',
    'The request comes from a page of another origin. Its origin must be that of APP_URL, or stand in ALLOWED_ORIGINS.',
  );
}
