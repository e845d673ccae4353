import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import {
  AddressLimit,
  API_KEY_PREFIX,
  ApiKeyGate,
  type ApiKeyPrincipal,
  Authenticator,
  GatewayTokens,
  opensRoute,
  type TokenPrincipal,
} from '#auth';
import { AuthError, bearerToken, clientIp, ProxyError, TrustProxy } from '#common';
import type { RouteAuth } from '#config';
import { matchesPrefix } from '../http/path.js';
import type { UpstreamRoute } from '../routing/route.js';
import { type AdmittedCaller, ANYBODY, bearerOf } from './caller.js';
import { SessionGate } from './session-gate.js';
import { VisitorCache } from './visitor-cache.js';

/**
 * Finds out who sends a request on a route of config.yml, and whether they may. An explicit credential counts before the
 * cookie, which a browser sends by itself; an `Authorization` that is none of ours is the upstream's, and counts only
 * where nothing else could let the request in.
 */
@Injectable()
export class RouteGate {
  constructor(
    private readonly sessions: SessionGate,
    private readonly authenticator: Authenticator,
    private readonly tokens: GatewayTokens,
    private readonly apiKeys: ApiKeyGate,
    private readonly addressLimit: AddressLimit,
    private readonly visitors: VisitorCache,
    private readonly trustProxy: TrustProxy,
  ) {}

  /**
   * Lets the caller in, at once where that needs no look-up. As with {@link SessionGate.admit}, whatever `admitted` does
   * before it returns is heard of by the next revocation of the session.
   * @param path normalised, without the query
   * @throws AuthError UNAUTHENTICATED, AMBIGUOUS_SESSION, API_KEY_FORBIDDEN
   * @throws ProxyError MISSING_TOKEN, INVALID_TOKEN
   * @throws CoreError RATE_LIMITED
   */
  admit(
    req: IncomingMessage,
    path: string,
    route: UpstreamRoute,
    admitted: (caller: AdmittedCaller) => void,
  ): void | Promise<void> {
    const { auth, forwardAuthorization } = route.policy;
    const bearer = bearerToken(req.headers.authorization);
    if (auth.includes('apiKey') && (isApiKey(bearer) || auth.length === 1)) {
      return this.admitWorker(req, path, route).then(admitted);
    }
    if (bearer !== undefined && this.isForTheGateway(bearer, auth)) {
      return this.admitBearer(req, route).then(admitted);
    }
    if (bearer === undefined && isForNobodyElse(req, auth) && !forwardAuthorization) throw missingToken();
    if (auth.includes('session') && this.sessions.presentsAny(req)) {
      return isOpen(auth)
        ? this.sessions.admitOr(req, admitted, () => admitted(ANYBODY))
        : this.sessions.admit(req, admitted);
    }
    if (!isOpen(auth)) throw refusalOf(auth);
    admitted(ANYBODY);
  }

  private isForTheGateway(bearer: string, auth: readonly RouteAuth[]): boolean {
    if (!auth.includes('token') && !auth.includes('optionalToken')) return false;
    return this.tokens.isOurs(bearer) || !(auth.includes('session') || auth.includes('none'));
  }

  private async admitBearer(req: IncomingMessage, route: UpstreamRoute): Promise<AdmittedCaller> {
    const { tokenRoute } = route.policy;
    const principal = await this.bearerOfToken(req);
    if (principal === null || tokenRoute === null || !opensRoute(principal, tokenRoute)) {
      throw new ProxyError(
        'INVALID_TOKEN',
        'This token is none of ours, has expired, or is for another route. Get a new one.',
      );
    }
    return bearerOf(principal);
  }

  /** Anew where a revocation came between the look-up of an admin's account and its end. */
  private async bearerOfToken(req: IncomingMessage): Promise<TokenPrincipal | null> {
    for (;;) {
      using changes = this.visitors.watch();
      const principal = await this.authenticator.authenticateToken(req.headers);
      const admin = principal?.user ?? null;
      if (admin === null || !changes.concernsUser(admin.id)) return principal;
    }
  }

  /** Where S4's workers call, each request counts; on other paths the route has its own limit, and failures count. */
  private async admitWorker(
    req: IncomingMessage,
    path: string,
    route: UpstreamRoute,
  ): Promise<AdmittedCaller> {
    const ip = clientIp(req, this.trustProxy);
    const limited = matchesPrefix(path, WORKERS_PREFIX);
    if (limited) await this.addressLimit.admit(ip);
    const request = { method: req.method ?? '', path, headers: req.headers, ip };
    try {
      const principal = await this.apiKeys.admit(request, limited);
      refuseWorkerType(principal, route.workerTypes);
      return bearerOf(principal);
    } catch (error) {
      if (!limited && error instanceof AuthError && error.code === 'UNAUTHENTICATED') {
        await this.addressLimit.admit(ip);
      }
      throw error;
    }
  }
}

/** Contract §1: their limits by address and by key. */
const WORKERS_PREFIX = '/api/gateway';

/** Whether an `Authorization` that is no bearer token can only be meant as one: S3 takes no other. */
function isForNobodyElse(req: IncomingMessage, auth: readonly RouteAuth[]): boolean {
  if (req.headers.authorization === undefined || !auth.includes('optionalToken')) return false;
  return !auth.includes('session') && !auth.includes('none');
}

function missingToken(): ProxyError {
  return new ProxyError('MISSING_TOKEN', 'Send a gateway token as Authorization: Bearer.');
}

function isApiKey(bearer: string | undefined): boolean {
  return bearer?.startsWith(API_KEY_PREFIX) === true;
}

/** Whether a request without any credential passes. */
function isOpen(auth: readonly RouteAuth[]): boolean {
  return auth.includes('none') || auth.includes('optionalToken');
}

function refuseWorkerType({ workerType }: ApiKeyPrincipal, allowed: readonly string[] | null): void {
  if (allowed === null || allowed.includes(workerType)) return;
  throw new AuthError('API_KEY_FORBIDDEN', `This path is not for workers of the type ${workerType}.`);
}

function refusalOf(auth: readonly RouteAuth[]): AuthError | ProxyError {
  if (auth.includes('session')) {
    return new AuthError('UNAUTHENTICATED', 'Sign in first: POST /auth/login, and send the session cookie.');
  }
  if (auth.includes('token')) return missingToken();
  return new AuthError('UNAUTHENTICATED', 'Send your API key as Authorization: Bearer.');
}
