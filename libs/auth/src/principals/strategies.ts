import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-custom';
import { clientIp, TrustProxy } from '#common';
import { ApiKeyGate } from '../api-keys/api-key-gate.js';
import { Authenticator } from './authenticator.js';
import type { AdminKeyPrincipal, ApiKeyPrincipal, SessionPrincipal, TokenPrincipal } from './principal.js';

export const SESSION_STRATEGY = 'session';
export const ADMIN_KEY_STRATEGY = 'admin-key';
export const TOKEN_STRATEGY = 'token';
export const API_KEY_STRATEGY = 'api-key';

/**
 * @nestjs/passport registers every strategy in the one passport of the process, where the last application to start
 * would win. Ours are registered by {@link PassportAuthentication} in a passport of each application's own.
 */
const nowhere = { use: (): void => {} };

/** passport's view of the session cookie. There is no express-session: the cookie is looked up at each request. */
@Injectable()
export class SessionStrategy extends PassportStrategy(Strategy, SESSION_STRATEGY) {
  constructor(private readonly authenticator: Authenticator) {
    super();
  }

  getPassportInstance(): typeof nowhere {
    return nowhere;
  }

  override validate(request: Request): Promise<SessionPrincipal | null> {
    return this.authenticator.authenticateSession(request.headers.cookie);
  }
}

/** passport's view of `ADMIN_KEY`. */
@Injectable()
export class AdminKeyStrategy extends PassportStrategy(Strategy, ADMIN_KEY_STRATEGY) {
  constructor(private readonly authenticator: Authenticator) {
    super();
  }

  getPassportInstance(): typeof nowhere {
    return nowhere;
  }

  override validate(request: Request): AdminKeyPrincipal | null {
    return this.authenticator.authenticateAdminKey(request.headers);
  }
}

/** passport's view of a gateway token. */
@Injectable()
export class TokenStrategy extends PassportStrategy(Strategy, TOKEN_STRATEGY) {
  constructor(private readonly authenticator: Authenticator) {
    super();
  }

  getPassportInstance(): typeof nowhere {
    return nowhere;
  }

  override validate(request: Request): Promise<TokenPrincipal | null> {
    return this.authenticator.authenticateToken(request.headers);
  }
}

/** passport's view of an API key: who has none, or one that may not do this, is told so by the gate. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(Strategy, API_KEY_STRATEGY) {
  constructor(
    private readonly gate: ApiKeyGate,
    private readonly trustProxy: TrustProxy,
  ) {
    super();
  }

  getPassportInstance(): typeof nowhere {
    return nowhere;
  }

  override validate(request: Request): Promise<ApiKeyPrincipal> {
    const { method, path, headers } = request;
    return this.gate.admit({ method, path, headers, ip: clientIp(request, this.trustProxy) });
  }
}
