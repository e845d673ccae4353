import { Injectable } from '@nestjs/common';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type ServerMetadata,
} from 'openid-client';
import { AuthError } from '#common';
import { AppConfig, type OidcConfig } from '#config';
import { boundedFetch } from './bounded-fetch.js';
import { ProviderFailure, reasonOf } from './provider-failure.js';

/** A person waits at the other end of most requests to the provider. */
const TIMEOUT_SECONDS = 5;

/** Discovery documents, key sets and userinfo have a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024;

/**
 * What an ID token may be signed with: never `none`, and never a MAC, for which our client secret would be the key,
 * or, in the classic confusion, the provider's public key (RFC 8725 §2.1).
 */
const SIGNATURES: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The provider as openid-client sees it, in two ways. */
export interface ProviderClients {
  /** Verifies the signature of every ID token. openid-client would leave it out, but TLS may end at a proxy in between. */
  readonly verifying: Configuration;
  /**
   * Checks all of an ID token but the signature, for which it may have to ask for the provider's keys. For a refresh:
   * if that failed, a refresh token that has been rotated would be lost with the answer it stands in.
   */
  readonly refreshing: Configuration;
}

/**
 * Where the provider's endpoints are: each one as configured, else from its discovery document (OpenID Connect
 * Discovery 1.0), which is read when it is first needed. A provider that is down keeps no gateway from starting.
 */
@Injectable()
export class ProviderConfiguration {
  private readonly oidc: OidcConfig | null;
  private readonly insecure: boolean;
  /** A failed one is not kept, so that the next request tries again. */
  private current: Promise<ProviderClients> | null = null;

  constructor(config: AppConfig) {
    this.oidc = config.oidc;
    this.insecure = config.mode !== 'production';
  }

  /** Whether there is a provider to sign in with. */
  get enabled(): boolean {
    return this.oidc !== null;
  }

  /**
   * What is configured.
   * @throws AuthError OIDC_DISABLED
   */
  get settings(): OidcConfig {
    if (this.oidc === null) {
      throw new AuthError(
        'OIDC_DISABLED',
        'Sign-in by OpenID Connect is not set up here. Sign in with your password.',
      );
    }
    return this.oidc;
  }

  /**
   * The provider, once its endpoints are known.
   * @throws AuthError OIDC_DISABLED
   * @throws ProviderFailure
   */
  async get(): Promise<ProviderClients> {
    const { settings } = this;
    this.current ??= this.configure(settings).catch((error: unknown) => {
      this.current = null;
      throw new ProviderFailure('unavailable', `discovery: ${reasonOf(error)}`, error);
    });
    return this.current;
  }

  private async configure(settings: OidcConfig): Promise<ProviderClients> {
    const metadata = withOverrides(await this.metadataOf(settings), settings);
    const verifying = this.clientOf(metadata, settings);
    enableNonRepudiationChecks(verifying);
    return { verifying, refreshing: this.clientOf(metadata, settings) };
  }

  private clientOf(metadata: ServerMetadata, { clientId, clientSecret }: OidcConfig): Configuration {
    const authentication = authenticationFor(metadata, clientSecret);
    const client = new Configuration(metadata, clientId, undefined, authentication);
    client.timeout = TIMEOUT_SECONDS;
    client[customFetch] = boundedFetch(MAX_ANSWER_BYTES);
    if (this.insecure) allowInsecureRequests(client);
    return client;
  }

  private async metadataOf(settings: OidcConfig): Promise<ServerMetadata> {
    const { issuer, clientId } = settings;
    if (needsNoDiscovery(settings)) return { issuer };
    const discovered = await discovery(new URL(issuer), clientId, undefined, undefined, {
      timeout: TIMEOUT_SECONDS,
      [customFetch]: boundedFetch(MAX_ANSWER_BYTES),
      execute: this.insecure ? [allowInsecureRequests] : [],
    });
    return discovered.serverMetadata();
  }
}

/** Without a revocation endpoint one can do; it is taken from the document where that is read anyway. */
function needsNoDiscovery({ endpoints }: OidcConfig): boolean {
  const { authorization, token, userinfo, jwks } = endpoints;
  return [authorization, token, userinfo, jwks].every((endpoint) => endpoint !== null);
}

function withOverrides(discovered: ServerMetadata, { endpoints }: OidcConfig): ServerMetadata {
  const { authorization, token, userinfo, revocation, jwks } = endpoints;
  const announced = discovered.id_token_signing_alg_values_supported ?? [...SIGNATURES];
  return {
    ...discovered,
    ...(authorization === null ? {} : { authorization_endpoint: authorization }),
    ...(token === null ? {} : { token_endpoint: token }),
    ...(userinfo === null ? {} : { userinfo_endpoint: userinfo }),
    ...(revocation === null ? {} : { revocation_endpoint: revocation }),
    ...(jwks === null ? {} : { jwks_uri: jwks }),
    id_token_signing_alg_values_supported: announced.filter((alg) => SIGNATURES.includes(alg)),
  };
}

/** Every server must know HTTP Basic (RFC 6749 §2.3.1); the secret goes into the body only where Basic is not offered. */
function authenticationFor(
  { token_endpoint_auth_methods_supported: methods }: ServerMetadata,
  clientSecret: string,
): ClientAuth {
  const postOnly =
    methods?.includes('client_secret_basic') === false && methods.includes('client_secret_post');
  return postOnly ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);
}
