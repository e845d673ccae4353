import { AuthApp, type AuthAppOptions } from './auth-app.js';
import { OidcBrowser, type Page } from './oidc-browser.js';
import { TestProvider, type ProviderAccount, type ProviderOptions } from './oidc-provider.js';

/** Replicas have to read what each other sealed. */
const SECRET_KEY = 'the secret key of all replicas in a test';

export interface OidcWorldOptions extends AuthAppOptions {
  readonly provider?: ProviderOptions;
  /** Names all endpoints to the gateway, so that it need not ask for them. */
  readonly endpoints?: boolean;
}

/** Somebody signed in by OIDC. */
export interface Signed {
  readonly browser: OidcBrowser;
  /** `session=…` */
  readonly cookie: string;
  /** The last answer: of the callback. */
  readonly page: Page;
}

/** The auth library with a real provider beside it. */
export class OidcWorld implements AsyncDisposable {
  private constructor(
    readonly app: AuthApp,
    readonly provider: TestProvider,
    readonly callback: string,
  ) {}

  static async start(options: OidcWorldOptions = {}): Promise<OidcWorld> {
    const provider = await TestProvider.listen();
    const env = { ...(options.endpoints === true ? endpointsOf(provider) : {}), ...options.env };
    const app = await OidcWorld.startApp(provider, { ...options, env });
    const callback = `${app.url}${app.config.oidc?.redirectPath ?? ''}`;
    await provider.serve([callback], options.provider);
    return new OidcWorld(app, provider, callback);
  }

  /** An app alone: of another provider, or a replica of another one. */
  static async startApp(provider: Pick<TestProvider, 'env'>, options: AuthAppOptions): Promise<AuthApp> {
    const app = await AuthApp.start({ ...options, env: { SECRET_KEY, ...provider.env, ...options.env } });
    // The provider lives in the present.
    app.clock.advance(Date.now() - app.clock.nowMs());
    return app;
  }

  /** Makes an account at the provider; its name, which is its subject, is new. */
  person(claims: ProviderAccount = {}): { subject: string; email: string } {
    const subject = crypto.randomUUID();
    const email = typeof claims.email === 'string' ? claims.email : `${subject}@example.com`;
    this.provider.accounts.set(subject, { email, email_verified: true, name: 'Ada Lovelace', ...claims });
    return { subject, email };
  }

  /** Opens the gateway's login page. */
  begin(browser: OidcBrowser, query: Record<string, string> = {}): Promise<Page> {
    return browser.open(`${this.app.url}/auth/login?${new URLSearchParams(query)}`);
  }

  /** All of it, up to the callback URL, which is not opened yet. */
  async upToCallback(
    browser: OidcBrowser,
    subject: string,
    query: Record<string, string> = {},
  ): Promise<string> {
    return browser.signInAt(await this.begin(browser, query), this.callback, subject);
  }

  async signIn(
    subject: string,
    browser = new OidcBrowser(),
    query: Record<string, string> = {},
  ): Promise<Signed> {
    const page = await browser.open(await this.upToCallback(browser, subject, query));
    return { browser, page, cookie: await sessionOf(browser, this.app.url) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.provider[Symbol.asyncDispose]();
  }
}

/** Where `oidc-provider` has its endpoints. */
function endpointsOf({ issuer }: TestProvider): NodeJS.ProcessEnv {
  return {
    OIDC_AUTHORIZATION_ENDPOINT: `${issuer}/auth`,
    OIDC_TOKEN_ENDPOINT: `${issuer}/token`,
    OIDC_USERINFO_ENDPOINT: `${issuer}/me`,
    OIDC_REVOCATION_ENDPOINT: `${issuer}/token/revocation`,
    OIDC_JWKS_URI: `${issuer}/jwks`,
  };
}

/** `session=…` of a browser; empty without one. */
export async function sessionOf(browser: OidcBrowser, url: string): Promise<string> {
  const cookies = await browser.jar.getCookies(url);
  return cookies.find(({ key }) => key === 'session')?.cookieString() ?? '';
}
