import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { AuthError, bearerToken, sameSecret } from '#common';
import { AppConfig } from '#config';
import { ApiKeyCache } from '../api-keys/api-key-cache.js';
import { SessionCookie } from '../sessions/session-cookie.js';
import { SessionStore } from '../sessions/session-store.js';
import { GatewayTokens } from '../tokens/gateway-tokens.js';
import type {
  AdminKeyPrincipal,
  ApiKeyPrincipal,
  Principal,
  SessionPrincipal,
  TokenPrincipal,
} from './principal.js';

/** The headers that can carry a credential. */
export type CredentialHeaders = Pick<IncomingHttpHeaders, 'authorization' | 'cookie'> & {
  readonly 'x-admin-key'?: string | string[] | undefined;
};

/**
 * The one place where credentials become a {@link Principal}: for the guards of our own endpoints and for the edge
 * alike. It takes plain header values, since the edge decides before there is any framework.
 */
@Injectable()
export class Authenticator {
  constructor(
    private readonly config: AppConfig,
    private readonly cookie: SessionCookie,
    private readonly sessions: SessionStore,
    private readonly tokens: GatewayTokens,
    private readonly apiKeys: ApiKeyCache,
  ) {}

  /**
   * Any credential we know; the explicit one counts before the cookie, which a browser sends by itself.
   * @throws AuthError AMBIGUOUS_SESSION
   */
  async authenticate(headers: CredentialHeaders): Promise<Principal | null> {
    return (
      this.authenticateAdminKey(headers) ??
      (await this.authenticateApiKey(headers)) ??
      (await this.authenticateToken(headers)) ??
      (await this.authenticateSession(headers.cookie))
    );
  }

  /**
   * The session alone: on slice paths an `Authorization` header belongs to the app. Of two cookies of our name (a
   * subdomain, or a slice, can plant one) neither is better than the other, so they count only when exactly one is a
   * session.
   * @param cookieHeader all Cookie headers, joined by `; ` as Node does
   * @throws AuthError AMBIGUOUS_SESSION
   */
  async authenticateSession(cookieHeader: string | undefined): Promise<SessionPrincipal | null> {
    const found: (SessionPrincipal | null)[] = [];
    // One after the other: one request must not take several connections of the pool at once.
    for (const hash of this.cookie.hashesIn(cookieHeader)) {
      found.push(hash === null ? null : await this.sessions.find(hash));
    }
    return theOneSession(found);
  }

  /** A gateway token as `Authorization: Bearer`: an admin's, or a guest's. */
  async authenticateToken({ authorization }: CredentialHeaders): Promise<TokenPrincipal | null> {
    const token = bearerToken(authorization);
    return token === undefined ? null : this.tokens.verify(token);
  }

  /** An API key as `Authorization: Bearer`. Whether it may do this is for `ApiKeyGate` to say. */
  async authenticateApiKey({ authorization }: CredentialHeaders): Promise<ApiKeyPrincipal | null> {
    const key = bearerToken(authorization);
    return key === undefined ? null : this.apiKeys.find(key);
  }

  /** `X-Admin-Key` or `Authorization: Bearer`, compared in constant time. */
  authenticateAdminKey(headers: CredentialHeaders): AdminKeyPrincipal | null {
    const offered = headers['x-admin-key'] ?? bearerToken(headers.authorization);
    if (typeof offered !== 'string') return null;
    return sameSecret(offered, this.config.admin.key) ? { kind: 'adminKey' } : null;
  }
}

/**
 * The session among the look-ups of all presented cookies, one entry a cookie.
 * @throws AuthError AMBIGUOUS_SESSION when several cookies were presented and not exactly one is a session
 */
export function theOneSession(found: readonly (SessionPrincipal | null)[]): SessionPrincipal | null {
  const valid = found.filter((session) => session !== null);
  if (found.length > 1 && valid.length !== 1) {
    throw new AuthError(
      'AMBIGUOUS_SESSION',
      'Several session cookies were sent, and they do not name one session. Delete the cookies of this site and sign in again.',
    );
  }
  return valid[0] ?? null;
}
