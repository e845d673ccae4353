import { Injectable } from '@nestjs/common';
import { AuthError, sameSecret } from '#common';
import type { Caller } from '../access/caller.js';
import { FirstSlice } from '../accounts/first-slice.js';
import { publicUser } from '../accounts/users.js';
import { WithCookie } from '../accounts/with-cookie.js';
import { AllowedOrigins } from '../origins/allowed-origins.js';
import { LoginStates } from '../sessions/login-states.js';
import type { ProviderTokens } from '../sessions/provider-tokens.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { IdentityAccounts, type IdentityAccount } from './identity-accounts.js';
import { LoginCookie } from './login-cookie.js';
import { fingerprint, type LoginRecord, parseLoginRecord } from './login-record.js';
import type { RedirectTo } from './oidc-login.service.js';
import { type Handshake, OidcProvider, type ProviderSignIn } from './oidc-provider.js';
import { ProviderConfiguration } from './provider-configuration.js';
import { answeringFailures, ProviderFailure } from './provider-failure.js';
import { identityFrom, type ProviderIdentity, tellsEmail } from './provider-identity.js';
import type { CallbackQuery } from './schemas.js';

/** The user's own doing, or not doing (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6); any other is a fault. */
const DECLINED: ReadonlySet<string> = new Set([
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
]);

interface Redeemed {
  readonly identity: ProviderIdentity;
  readonly tokens: ProviderTokens;
}

/** The end of a sign-in by OpenID Connect: the browser is back from the provider. */
@Injectable()
export class OidcCallbackService {
  constructor(
    private readonly configuration: ProviderConfiguration,
    private readonly provider: OidcProvider,
    private readonly states: LoginStates,
    private readonly cookie: LoginCookie,
    private readonly origins: AllowedOrigins,
    private readonly accounts: IdentityAccounts,
    private readonly sessions: SessionsService,
    private readonly firstSlice: FirstSlice,
  ) {}

  /**
   * Signs the browser in under a new session, and sends it where it wanted to go. A first sign-in makes an account,
   * and gives it a slice as registration does.
   * @throws AuthError OIDC_STATE_INVALID, OIDC_LOGIN_REFUSED, OIDC_PROVIDER_FAILED, OIDC_DISABLED, EMAIL_TAKEN,
   * ACCOUNT_DISABLED, AMBIGUOUS_SESSION, INVALID_CREDENTIALS when the account was changed meanwhile; then nobody is
   * signed in
   */
  async finish(query: CallbackQuery, caller: Caller): Promise<WithCookie<RedirectTo>> {
    const redirectUri = this.origins.ownOrigin + this.configuration.settings.redirectPath;
    const { state, code, iss, error } = query;
    if (state === undefined) throw stateInvalid();
    const record = await this.takeRecord(state, caller);
    if (error !== undefined) throw refusedByProvider(error);
    if (code === undefined) throw stateInvalid();
    // Before the code is redeemed, which works once: a sign-in that can't end well must not begin.
    this.sessions.presentedBy(caller);
    // What openid-client is to see of the callback: whatever else the provider sent is of no use to it.
    const answer = new URLSearchParams({ code, state, ...(iss === undefined ? {} : { iss }) });
    const { identity, tokens } = await answeringFailures(() =>
      this.redeem(answer, { redirectUri, state, ...record }),
    );
    const account = await this.accounts.accountOf(identity);
    const cookie = await this.sessions.open(account.user.id, caller, {
      kind: 'oidc',
      subject: identity.subject,
      tokens,
      generation: account.user.tokenGeneration,
    });
    await this.giveSlice(account);
    return new WithCookie({ url: record.returnTo }, [cookie, this.cookie.clear(state)]);
  }

  private async redeem(answer: URLSearchParams, handshake: Handshake): Promise<Redeemed> {
    const signIn = await this.provider.redeem(answer, handshake);
    return { identity: await this.identify(signIn), tokens: signIn.tokens };
  }

  private async giveSlice({ user, became }: IdentityAccount): Promise<void> {
    if (became === 'created') await this.firstSlice.giveTo(publicUser(user));
    if (became === 'verified') await this.firstSlice.giveAfterVerification(publicUser(user));
  }

  /** Taking it is what makes it work once, so that comes first; and nobody is told what was wrong with it. */
  private async takeRecord(state: string, caller: Caller): Promise<LoginRecord> {
    const secret = this.cookie.secretFor(state, caller.cookieHeader);
    const kept = await this.states.take(fingerprint(state));
    if (kept === null || secret === null) throw stateInvalid();
    const record = parseLoginRecord(kept);
    if (!sameSecret(fingerprint(secret), record.browser)) throw stateInvalid();
    return record;
  }

  private async identify({ claims, tokens }: ProviderSignIn): Promise<ProviderIdentity> {
    const userInfo = tellsEmail(claims) ? null : await this.provider.userInfo(tokens.accessToken, claims.sub);
    const identity = identityFrom(claims, userInfo);
    if (identity !== null) return identity;
    throw new ProviderFailure(
      'unavailable',
      'neither the ID token nor userinfo has an e-mail address; OIDC_SCOPES should name email',
    );
  }
}

function stateInvalid(): AuthError {
  return new AuthError(
    'OIDC_STATE_INVALID',
    'This sign-in is not known here: it took longer than ten minutes, was finished already, or began in another browser. Please sign in again.',
  );
}

/** A denial is an answer to the person at the browser; a fault is for the operator, and the filter logs it. */
function refusedByProvider(error: string): AuthError {
  if (DECLINED.has(error)) {
    return new AuthError(
      'OIDC_LOGIN_REFUSED',
      'You were not signed in: it was declined at the identity provider. Please sign in again.',
    );
  }
  const reason = /^[\w.-]{1,64}$/.test(error) ? error : 'an unknown error';
  return new AuthError(
    'OIDC_PROVIDER_FAILED',
    'The identity provider could not sign you in. Please try again; if it goes on, tell the operator.',
    { cause: new ProviderFailure('unavailable', `authorization: ${reason}`) },
  );
}
