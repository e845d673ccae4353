import { Injectable } from '@nestjs/common';
import type { UserInfoResponse } from 'openid-client';
import type { SessionPrincipal } from '../principals/principal.js';
import { OidcProvider } from './oidc-provider.js';
import { answeringFailures, ProviderFailure } from './provider-failure.js';
import { ProviderSessions, sessionExpired } from './provider-sessions.js';
import { isRefreshable } from './refresh-due.js';
import type { WhoAmI } from './schemas.js';

/** `GET /whoami/me`. */
@Injectable()
export class WhoAmIService {
  constructor(
    private readonly provider: OidcProvider,
    private readonly sessions: ProviderSessions,
  ) {}

  /**
   * What the provider's userinfo says; the same from the account for whoever signed in with a password.
   * @throws AuthError SESSION_EXPIRED when the provider no longer accepts the session's tokens
   * @throws AuthError OIDC_PROVIDER_FAILED, also when they could not be refreshed for now
   */
  async describe(session: SessionPrincipal): Promise<WhoAmI> {
    const { subject, user } = session;
    const userInfo = await answeringFailures(() => this.userInfo(session));
    if (userInfo === null) return { sub: subject, name: user.name, email: user.email, picture: null };
    const { sub, name = null, email = null, picture = null } = userInfo;
    return { sub, name, email, picture };
  }

  /** A token may be revoked before its time; with a new one the provider is asked once more. */
  private async userInfo(session: SessionPrincipal): Promise<UserInfoResponse | null> {
    const tokens = await this.sessions.tokensOf(session);
    if (tokens === null) return null;
    try {
      return await this.provider.userInfo(tokens.accessToken, session.subject);
    } catch (error) {
      if (!isTokenRejected(error)) throw error;
    }
    const renewed = await this.sessions.tokensOf(session, { rejected: tokens.accessToken });
    // Without a refresh token nobody but the user can do anything about it.
    if (renewed === null || !isRefreshable(renewed)) throw sessionExpired();
    // Had the provider refused the refresh, the session would have ended: it only did not answer.
    if (renewed.accessToken === tokens.accessToken) {
      throw new ProviderFailure('unavailable', 'userinfo: the access token is over, and was not refreshed');
    }
    return this.provider.userInfo(renewed.accessToken, session.subject);
  }
}

function isTokenRejected(error: unknown): boolean {
  return error instanceof ProviderFailure && error.kind === 'token_rejected';
}
