import { Injectable } from '@nestjs/common';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  type IDToken,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
  type TokenEndpointResponse,
  type UserInfoResponse,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { Clock } from '#common';
import type { ProviderTokens } from '../sessions/provider-tokens.js';
import { failedCheck, type IdTokenCheck } from './id-token-check.js';
import { type ProviderClients, ProviderConfiguration } from './provider-configuration.js';
import { ProviderFailure, reasonOf } from './provider-failure.js';

/** How far the provider's clock may be from ours; openid-client grants as much for `exp`. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** OpenID Connect Core §2: "MUST NOT exceed 255 ASCII characters in length". */
const MAX_SUBJECT = 255;

/**
 * Longer than any provider keeps anybody signed in, so that it asks nobody anew; but asked for some age, it has to say
 * in the ID token when it authenticated the user (OpenID Connect Core §3.1.2.1).
 */
const MAX_AGE_SECONDS = 365 * 24 * 3600;

/** Error codes by which a provider says, of whatever status, that it can't or won't serve us at all at the moment. */
const ABOUT_EVERYBODY: ReadonlySet<string> = new Set([
  'invalid_client',
  'server_error',
  'slow_down',
  'temporarily_unavailable',
]);
const TOO_MANY_REQUESTS = 429;

/** What ties an authorization request to its answer. */
export interface Handshake {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A sign-in that the provider vouches for. */
export interface ProviderSignIn {
  /** Of the ID token, every check of it passed. */
  readonly claims: IDToken;
  readonly tokens: ProviderTokens;
}

/** The OpenID provider. Every method throws AuthError OIDC_DISABLED, or {@link ProviderFailure} when it fails. */
@Injectable()
export class OidcProvider {
  constructor(
    private readonly configuration: ProviderConfiguration,
    private readonly clock: Clock,
  ) {}

  /** Where to send a browser to sign in: authorization code flow with PKCE (RFC 7636) by S256. */
  async authorizationUrl({ redirectUri, state, nonce, codeVerifier }: Handshake): Promise<URL> {
    const { scopes } = this.configuration.settings;
    return this.step('authorization request', async ({ verifying }) =>
      buildAuthorizationUrl(verifying, {
        redirect_uri: redirectUri,
        scope: scopes,
        state,
        nonce,
        max_age: String(MAX_AGE_SECONDS),
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      }),
    );
  }

  /**
   * Redeems the code that the browser brought, and verifies the ID token.
   * @param answer the parameters of the callback: `code`, `state`, and `iss` where the provider sends it (RFC 9207)
   */
  async redeem(answer: URLSearchParams, handshake: Handshake): Promise<ProviderSignIn> {
    const { redirectUri, state, nonce, codeVerifier } = handshake;
    const callback = new URL(`${redirectUri}?${answer.toString()}`);
    const obtainedAtMs = this.clock.nowMs();
    return this.step('code exchange', async ({ verifying }) => {
      const response = await authorizationCodeGrant(verifying, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const claims = response.claims();
      if (claims === undefined) throw refused('presence');
      this.checkIssuedAt(claims);
      if (claims.sub.length > MAX_SUBJECT) throw refused('sub');
      return { claims, tokens: tokensFrom(response, obtainedAtMs, null) };
    });
  }

  /**
   * Redeems the refresh token. Where the provider rotates them, the one given is worth nothing from here on.
   * @param subject whose tokens they are: an ID token that comes along must not name another (Core §12.2)
   */
  async refresh(tokens: ProviderTokens & { refreshToken: string }, subject: string): Promise<ProviderTokens> {
    const obtainedAtMs = this.clock.nowMs();
    return this.step('token refresh', async ({ refreshing }) => {
      const response = await refreshTokenGrant(refreshing, tokens.refreshToken);
      const claims = response.claims();
      if (claims !== undefined && claims.sub !== subject) throw refused('sub');
      return tokensFrom(response, obtainedAtMs, tokens);
    });
  }

  /** What the provider tells of a user; null when it has no userinfo endpoint. */
  async userInfo(accessToken: string, subject: string): Promise<UserInfoResponse | null> {
    return this.step('userinfo', async ({ verifying }) =>
      verifying.serverMetadata().userinfo_endpoint === undefined
        ? null
        : fetchUserInfo(verifying, accessToken, subject),
    );
  }

  /** Tells the provider that the tokens are no longer needed (RFC 7009); with a refresh token the whole grant ends. */
  async revoke({ refreshToken, accessToken }: ProviderTokens): Promise<void> {
    await this.step('revocation', async ({ verifying }) => {
      if (verifying.serverMetadata().revocation_endpoint === undefined) return;
      await tokenRevocation(verifying, refreshToken ?? accessToken, {
        token_type_hint: refreshToken === null ? 'access_token' : 'refresh_token',
      });
    });
  }

  private async step<T>(name: string, act: (clients: ProviderClients) => Promise<T>): Promise<T> {
    const clients = await this.configuration.get();
    try {
      return await act(clients);
    } catch (error) {
      throw asFailure(name, error);
    }
  }

  /** openid-client asks only for a number. A token from the future, or an old one, was not made for this sign-in. */
  private checkIssuedAt({ iat }: IDToken): void {
    const { idTokenMaxAgeSeconds } = this.configuration.settings;
    const age = this.clock.nowMs() / 1000 - iat;
    const oldest = (idTokenMaxAgeSeconds ?? Infinity) + CLOCK_TOLERANCE_SECONDS;
    if (age < -CLOCK_TOLERANCE_SECONDS || age > oldest) throw refused('iat');
  }
}

function refused(check: IdTokenCheck): ProviderFailure {
  return new ProviderFailure('id_token', `ID token refused: ${check}`);
}

function asFailure(step: string, error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  if (error instanceof ResponseBodyError) {
    const kind = refusesGrant(error) ? 'grant_refused' : 'unavailable';
    return new ProviderFailure(kind, `${step}: ${printable(error.error)}`, error);
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    const kind = step === 'userinfo' && error.status === 401 ? 'token_rejected' : 'unavailable';
    return new ProviderFailure(kind, `${step}: status ${error.status}`, error);
  }
  const check = failedCheck(error);
  if (check !== null) return new ProviderFailure('id_token', `ID token refused: ${check}`, error);
  return new ProviderFailure('unavailable', `${step}: ${reasonOf(error)}`, error);
}

/** Whatever a provider calls it, `invalid_grant` or not: unless it is about everybody, it is about this one grant. */
function refusesGrant({ status, error }: ResponseBodyError): boolean {
  return status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS && !ABOUT_EVERYBODY.has(error);
}

/** An error code of the provider's own; whatever else it may be has no place in a log. */
function printable(code: string): string {
  return /^[\w.-]{1,64}$/.test(code) ? code : 'an unknown error';
}

function tokensFrom(
  response: TokenEndpointResponse,
  obtainedAtMs: number,
  before: ProviderTokens | null,
): ProviderTokens {
  const { access_token: accessToken, refresh_token, id_token, expires_in, scope } = response;
  return {
    accessToken,
    // A provider that does not rotate sends none (RFC 6749 §6).
    refreshToken: refresh_token ?? before?.refreshToken ?? null,
    idToken: id_token ?? before?.idToken ?? null,
    obtainedAtMs,
    accessExpiresAtMs: expires_in === undefined ? null : obtainedAtMs + expires_in * 1000,
    scope: scope ?? before?.scope ?? null,
  };
}
