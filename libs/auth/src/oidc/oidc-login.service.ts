import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client';
import { validationFailed } from '#common';
import type { Caller } from '../access/caller.js';
import { WithCookie } from '../accounts/with-cookie.js';
import { AllowedOrigins } from '../origins/allowed-origins.js';
import { LoginStates } from '../sessions/login-states.js';
import { LoginCookie } from './login-cookie.js';
import { fingerprint, LOGIN_STATE_TTL_MS, type LoginRecord } from './login-record.js';
import { OidcProvider } from './oidc-provider.js';
import { ProviderConfiguration } from './provider-configuration.js';
import { answeringFailures } from './provider-failure.js';
import { returnTarget } from './return-target.js';
import type { LoginQuery } from './schemas.js';

/** Where a browser is sent. */
export interface RedirectTo {
  readonly url: string;
}

/** The headers that tell which page a browser comes from, and which of our names it used. */
export type LoginHeaders = Pick<IncomingHttpHeaders, 'host' | 'origin' | 'referer'>;

/** The beginning of a sign-in by OpenID Connect. */
@Injectable()
export class OidcLoginService {
  constructor(
    private readonly configuration: ProviderConfiguration,
    private readonly provider: OidcProvider,
    private readonly states: LoginStates,
    private readonly cookie: LoginCookie,
    private readonly origins: AllowedOrigins,
  ) {}

  /**
   * Notes a sign-in, and sends the browser to the provider.
   * @throws AuthError OIDC_DISABLED, OIDC_PROVIDER_FAILED
   * @throws CoreError VALIDATION_FAILED when it could not come back to an allowed origin
   */
  async begin(query: LoginQuery, headers: LoginHeaders, caller: Caller): Promise<WithCookie<RedirectTo>> {
    const { redirectPath } = this.configuration.settings;
    const origin = this.returnOrigin(query, headers);
    const returnTo = returnTarget(origin, query.next);
    if (returnTo === null) {
      throw validationFailed([{ path: 'next', message: 'must stay on the origin it belongs to' }]);
    }
    if (this.isByAnotherName(headers.host))
      return new WithCookie(this.hereByOurName(origin, query.next), null);

    const state = randomState();
    const { secret, setCookie } = this.cookie.bind(state, caller.cookieHeader);
    const record: LoginRecord = {
      nonce: randomNonce(),
      codeVerifier: randomPKCECodeVerifier(),
      returnTo,
      browser: fingerprint(secret),
    };
    const redirectUri = this.origins.ownOrigin + redirectPath;
    const url = await answeringFailures(() =>
      this.provider.authorizationUrl({ redirectUri, state, ...record }),
    );
    await this.states.put(fingerprint(state), JSON.stringify(record), LOGIN_STATE_TTL_MS);
    return new WithCookie({ url: url.href }, setCookie);
  }

  /** Compared as a whole: no part of a URL, and no trick in one, is looked at. */
  private returnOrigin({ frontend_host: asked }: LoginQuery, { origin, referer }: LoginHeaders): string {
    const claimed = asked ?? origin ?? (referer === undefined ? undefined : originOf(referer));
    if (claimed === undefined) return this.origins.ownOrigin;
    if (this.origins.allows(claimed)) return claimed;
    throw validationFailed([
      {
        path: 'frontend_host',
        message:
          'must be an origin that is allowed: the one of APP_URL, or one of ALLOWED_ORIGINS. Where it is not given, the page that leads here must be of such an origin',
      },
    ]);
  }

  /**
   * The provider knows one callback URL, that of APP_URL, and the browser keeps its cookies by host. So a sign-in that
   * begins under another name of ours (`127.0.0.1` for `localhost`, a second domain) begins anew under that one.
   */
  private isByAnotherName(host: string | undefined): boolean {
    if (host === undefined || host === new URL(this.origins.ownOrigin).host) return false;
    return this.origins.allows(`https://${host}`) || this.origins.allows(`http://${host}`);
  }

  private hereByOurName(origin: string, next: string): RedirectTo {
    const query = new URLSearchParams({ next, frontend_host: origin });
    return { url: `${this.origins.ownOrigin}/auth/login?${query.toString()}` };
  }
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'null';
}
