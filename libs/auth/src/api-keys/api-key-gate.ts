import { Injectable, Logger } from '@nestjs/common';
import { AuthError, bearerToken } from '#common';
import { AuthLimits } from '../limits/auth-limits.js';
import { HitCounter } from '../limits/hit-counter.js';
import { rateLimited } from '../limits/rate-limited.js';
import { Authenticator, type CredentialHeaders } from '../principals/authenticator.js';
import type { ApiKeyPrincipal } from '../principals/principal.js';
import { ApiKeyRevocations } from './api-key-revocations.js';
import { ApiKeyUsage } from './api-key-usage.js';
import { isWithin } from './scopes.js';

/** A worker's request, as the gate looks at it. */
export interface KeyedRequest {
  readonly method: string;
  /** Normalised, without the query. */
  readonly path: string;
  readonly headers: CredentialHeaders;
  /** Of the client, by TRUST_PROXY. */
  readonly ip: string;
}

/**
 * Lets workers in, for the guards and for the edge: the key, its scopes, its limit and its count. Each decision is one
 * line of the log with the address, since fail2ban reads them.
 */
@Injectable()
export class ApiKeyGate {
  private readonly logger = new Logger('ApiKeys');

  constructor(
    private readonly authenticator: Authenticator,
    private readonly hits: HitCounter,
    private readonly limits: AuthLimits,
    private readonly usage: ApiKeyUsage,
    private readonly revocations: ApiKeyRevocations,
  ) {}

  /**
   * Lets a request in. Nothing but microtasks comes between the last look at the key and the return: whatever the caller
   * does then at once is heard of by the next revocation.
   * @param limited whether the limit of a key counts here, beside whatever limit the path has
   * @throws AuthError UNAUTHENTICATED, API_KEY_FORBIDDEN; CoreError RATE_LIMITED
   */
  async admit(request: KeyedRequest, limited = true): Promise<ApiKeyPrincipal> {
    let { epoch } = this.revocations;
    const principal = await this.authenticate(request);
    const { id, name, workerType, scopes } = principal;
    if (limited) await this.count(id);
    while (epoch !== this.revocations.epoch) {
      ({ epoch } = this.revocations);
      await this.authenticate(request);
    }
    if (!isWithin(scopes, request.method, request.path)) {
      throw new AuthError(
        'API_KEY_FORBIDDEN',
        'The scopes of this API key do not cover this method and path.',
      );
    }
    this.usage.record(id);
    this.logger.log(`API_KEY_AUTH: ${name} (type: ${workerType}) from IP ${request.ip}`);
    return principal;
  }

  private async count(id: string): Promise<void> {
    const { perApiKey, windowSeconds } = this.limits;
    const refusal = rateLimited(
      await this.hits.hit(`api-key:${id}`, windowSeconds),
      perApiKey,
      'Too many requests with this API key. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
  }

  private async authenticate({ headers, ip }: KeyedRequest): Promise<ApiKeyPrincipal> {
    if (bearerToken(headers.authorization) === undefined) {
      this.logger.warn(`API_KEY_MISSING: Request from IP ${ip}`);
      throw new AuthError('UNAUTHENTICATED', 'Send your API key as Authorization: Bearer.');
    }
    const principal = await this.authenticator.authenticateApiKey(headers);
    if (principal === null) {
      this.logger.warn(`API_KEY_INVALID: Failed auth from IP ${ip}`);
      throw new AuthError('UNAUTHENTICATED', 'This is no API key, or it was revoked or has expired.');
    }
    return principal;
  }
}
