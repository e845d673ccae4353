import { jest } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Provider from 'oidc-provider';
import type { AccountClaims, Configuration } from 'oidc-provider';

export const CLIENT_ID = 'sluice';
export const CLIENT_SECRET = 'the secret that the provider knows sluice by';

/** Of somebody with an account at the provider; the login name is the subject. */
export type ProviderAccount = Partial<Omit<AccountClaims, 'sub'>>;

export interface ProviderOptions {
  readonly accessTokenSeconds?: number;
  readonly configuration?: Configuration;
}

/**
 * The certified provider of npm `oidc-provider`, on a port of its own, with its own pages for sign-in and consent and
 * with refresh tokens that rotate. It knows where it is before it serves, since its client has to know that.
 */
export class TestProvider implements AsyncDisposable {
  readonly accounts = new Map<string, ProviderAccount>();
  /** Each request to it, as `METHOD /path`. */
  readonly requests: string[] = [];
  /** What its token endpoint granted: `authorization_code` or `refresh_token`. */
  readonly grants: string[] = [];
  /** Every access and refresh token it gave. */
  readonly issued: string[] = [];
  /** Answers every request with 503 meanwhile. */
  down = false;
  /** Answers no request at all meanwhile. */
  hangs = false;
  /** What its token endpoint answers meanwhile, whatever it is asked. */
  tokenFailure: { readonly status: number; readonly error: string } | undefined;
  /** Done before a request to the token endpoint is looked at. */
  onToken: (() => Promise<unknown>) | undefined;
  private provider: Provider | undefined;

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async listen(): Promise<TestProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const provider = new TestProvider(server, `http://127.0.0.1:${port}`);
    server.on('request', (req, res) => {
      provider.requests.push(`${req.method} ${req.url?.split('?', 1)[0]}`);
      if (provider.hangs) return;
      if (provider.down || provider.provider === undefined) res.writeHead(503).end();
      else void provider.answer(provider.provider, req, res);
    });
    return provider;
  }

  /** What a gateway has to be told of it. */
  get env(): NodeJS.ProcessEnv {
    return { OIDC_ISSUER: this.issuer, OIDC_CLIENT_ID: CLIENT_ID, OIDC_CLIENT_SECRET: CLIENT_SECRET };
  }

  /** Begins to serve a client. */
  async serve(redirectUris: string[], options: ProviderOptions = {}): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'the-key' };
    const configuration = { ...this.configuration(redirectUris, options), jwks: { keys: [key] } };
    const provider = await quietly(async () => {
      const { default: OidcProvider } = await import('oidc-provider');
      return new OidcProvider(this.issuer, configuration);
    });
    provider.on('grant.success', ({ body }) => {
      const { access_token, refresh_token } = body as Record<string, string | undefined>;
      this.issued.push(...[access_token, refresh_token].filter((token) => token !== undefined));
    });
    provider.on('grant.success', ({ oidc }) => this.grants.push(String(oidc.params?.['grant_type'])));
    this.provider = provider;
  }

  /** The number of refresh tokens that were redeemed. */
  get refreshes(): number {
    return this.grants.filter((grant) => grant === 'refresh_token').length;
  }

  /** Ends every grant, as somebody does who signs out everywhere at the provider: no refresh token is worth anything. */
  async revokeGrants(): Promise<void> {
    const { provider } = this;
    for (const token of this.issued) {
      const refresh = await provider?.RefreshToken.find(token);
      await refresh?.destroy();
    }
  }

  /** Ends one access token before its time. */
  async revokeAccess(token: string): Promise<void> {
    await (await this.provider?.AccessToken.find(token))?.destroy();
  }

  /** Whether it still accepts an access token. */
  async accepts(token: string): Promise<boolean> {
    return (await fetch(`${this.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).ok;
  }

  private async answer(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url === '/token') {
      await this.onToken?.();
      if (this.tokenFailure !== undefined) {
        const { status, error } = this.tokenFailure;
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
        return;
      }
    }
    await provider.callback()(req, res);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private configuration(redirectUris: string[], options: ProviderOptions): Configuration {
    return {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code', 'refresh_token'],
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
      findAccount: (_ctx, id) => {
        const account = this.accounts.get(id);
        return account && { accountId: id, claims: async () => ({ ...account, sub: id }) };
      },
      cookies: { keys: ['the key of the cookies of the provider'] },
      features: { revocation: { enabled: true, allowedPolicy: async () => true } },
      issueRefreshToken: async () => true,
      rotateRefreshToken: true,
      ttl: {
        AccessToken: options.accessTokenSeconds ?? 3600,
        AuthorizationCode: 60,
        IdToken: 3600,
        Interaction: 600,
        Grant: 86_400,
        RefreshToken: 86_400,
        Session: 86_400,
      },
      ...options.configuration,
    };
  }
}

/** The provider warns on the console that its pages and its memory are not for production, and of any newer Node. */
async function quietly<T>(make: () => Promise<T>): Promise<T> {
  const silenced = [jest.spyOn(console, 'warn'), jest.spyOn(console, 'info')];
  for (const each of silenced) each.mockImplementation(() => undefined);
  try {
    return await make();
  } finally {
    for (const each of silenced) each.mockRestore();
  }
}
