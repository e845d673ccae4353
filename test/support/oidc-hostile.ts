import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CLIENT_ID, CLIENT_SECRET } from './oidc-provider.js';

export const KID = 'the-key';

/** What its token endpoint answers. */
export type TokenAnswer = (res: ServerResponse, nonce: string) => void | Promise<void>;

/** A provider that does whatever a test wants of it, right and wrong. */
export class HostileProvider implements AsyncDisposable {
  /** What the next code is redeemed for; see {@link answerWith}. */
  tokens: TokenAnswer = (res) => void res.writeHead(500).end();
  /** The nonce of the sign-in under way. */
  nonce = '';
  /** The algorithms it claims to sign ID tokens with. */
  algorithms = ['RS256', 'HS256', 'none'];
  jwks: (res: ServerResponse) => void = (res) => json(res, { keys: [this.publicJwk] });

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
    readonly key: CryptoKey,
    readonly publicKey: CryptoKey,
    readonly publicJwk: JWK,
  ) {}

  static async start(): Promise<HostileProvider> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: KID, alg: 'RS256', use: 'sig' };
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new HostileProvider(server, issuer, privateKey, publicKey, jwk);
    server.on('request', (req, res) => void provider.serve(req.url ?? '', res));
    return provider;
  }

  get env(): NodeJS.ProcessEnv {
    return { OIDC_ISSUER: this.issuer, OIDC_CLIENT_ID: CLIENT_ID, OIDC_CLIENT_SECRET: CLIENT_SECRET };
  }

  /** Claims as they should be. */
  claims(changed: JWTPayload = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      sub: 'ada',
      aud: CLIENT_ID,
      iat: now,
      exp: now + 300,
      nonce: this.nonce,
      email: 'ada@example.com',
      email_verified: true,
      ...changed,
    };
  }

  /** An ID token as it should be, but for what is given. */
  sign(
    claims: JWTPayload = this.claims(),
    key: CryptoKey | Uint8Array = this.key,
    header = {},
  ): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: KID, ...header }).sign(key);
  }

  /** Lets the token endpoint give this ID token; undefined gives none. */
  answerWith(idToken: () => Promise<string | undefined> | string): void {
    this.tokens = async (res) => {
      json(res, {
        access_token: 'the access token',
        refresh_token: 'the refresh token',
        token_type: 'Bearer',
        expires_in: 300,
        id_token: await idToken(),
      });
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(path: string, res: ServerResponse): Promise<void> {
    switch (path) {
      case '/.well-known/openid-configuration':
        json(res, {
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/auth`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/jwks`,
          id_token_signing_alg_values_supported: this.algorithms,
        });
        return;
      case '/jwks':
        this.jwks(res);
        return;
      case '/token':
        await this.tokens(res, this.nonce);
        return;
      default:
        res.writeHead(404).end();
    }
  }
}

export function json(res: ServerResponse, body: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
