import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProviderTokens } from '../sessions/provider-tokens.js';
import { SessionStore } from '../sessions/session-store.js';
import { OidcProvider } from './oidc-provider.js';
import { ProviderConfiguration } from './provider-configuration.js';

/** Nobody who signs out is to wait for the provider; what it has not done by then it does without us. */
const PATIENCE_MS = 2000;

/** Takes signing out on to the provider: its tokens are revoked there (RFC 7009), as well as can be. */
@Injectable()
export class ProviderSignOut {
  private readonly logger = new Logger(ProviderSignOut.name);

  constructor(
    private readonly store: SessionStore,
    private readonly provider: OidcProvider,
    private readonly configuration: ProviderConfiguration,
  ) {}

  /**
   * Ends sessions as `end` does, and after that, for two seconds at the most, their tokens at the provider.
   * @param hashes the sessions that `end` ends
   * @throws what `end` throws, and nothing else
   */
  async around<T>(hashes: readonly string[], end: () => Promise<T>): Promise<T> {
    // Read before they are gone.
    const tokens = this.configuration.enabled ? await this.tokensOf(hashes) : [];
    const ended = await end();
    if (tokens.length > 0) await this.revoke(tokens);
    return ended;
  }

  private async tokensOf(hashes: readonly string[]): Promise<ProviderTokens[]> {
    const found: ProviderTokens[] = [];
    for (const hash of hashes) {
      try {
        const tokens = await this.store.tokensOf(hash);
        if (tokens !== null) found.push(tokens);
      } catch (error) {
        // Sealed under a key that is lost, say: that must not keep anybody signed in.
        this.logger.warn({ err: error }, 'the tokens of a session that ends could not be read');
      }
    }
    return found;
  }

  private async revoke(tokens: readonly ProviderTokens[]): Promise<void> {
    const enough = new AbortController();
    const revoked = Promise.all(tokens.map((each) => this.provider.revoke(each))).catch((error: unknown) => {
      this.logger.warn({ reason: String(error) }, 'the tokens of whoever signed out were not revoked');
    });
    const patience = delay(PATIENCE_MS, undefined, { ref: false, signal: enough.signal }).catch(
      () => undefined,
    );
    await Promise.race([revoked, patience]);
    enough.abort();
  }
}
