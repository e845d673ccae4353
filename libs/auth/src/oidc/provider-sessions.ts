import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthError, Clock } from '#common';
import { ControlConnection } from '#database';
import type { SessionPrincipal } from '../principals/principal.js';
import type { ProviderTokens } from '../sessions/provider-tokens.js';
import { SessionStore } from '../sessions/session-store.js';
import { OidcProvider } from './oidc-provider.js';
import { ProviderConfiguration } from './provider-configuration.js';
import { ProviderFailure } from './provider-failure.js';
import { isRefreshable, type RefreshableTokens, refreshDueAtMs } from './refresh-due.js';

/** Longer than a refresh can take: five seconds at the provider, and six until its tokens are kept. */
const LOCK_WAIT_MS = 15_000;

/** A provider that does not answer is not asked by every request. What it refuses to one session holds up no other. */
const RETRY_AFTER_MS = 10_000;

/** Before the store is asked again to keep new tokens: from the first to the longest six seconds pass. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3200;

type Session = Pick<SessionPrincipal, 'sessionHash' | 'sessionKind' | 'subject'>;

/**
 * The provider's part of sessions opened by OIDC: keeps their tokens fresh, and ends a session whose user the provider
 * no longer vouches for.
 *
 * A refresh token may work only once (rotation, RFC 9700 §4.14.2), and using it twice ends the grant. So a session's
 * tokens are refreshed under a lock that all replicas share: lock, read again, refresh, store, unlock. Who waited for
 * the lock finds new tokens, and nothing left to do.
 *
 * What can go wrong in between, and what happens then:
 * - The gateway dies, or the provider's answer is lost, after the provider rotated and before the new token is stored:
 *   nobody has it. The next refresh is refused, and the user signs in anew. No client can prevent that.
 * - The store can't be reached at that moment: the new tokens are offered to it again for some seconds.
 * - The control connection is lost, and the lock with it, so that another replica may refresh at the same time: a
 *   refusal then proves nothing. It ends no session, and the next request finds out.
 * - The session ends meanwhile: the new tokens are stored nowhere, and revoked.
 * - The provider is down or confused: nobody is signed out for that. The session goes on with the tokens it has.
 */
@Injectable()
export class ProviderSessions {
  private readonly logger = new Logger(ProviderSessions.name);
  /** One refresh a session in this process; who comes meanwhile shares it. */
  private readonly flights = new Map<string, Promise<ProviderTokens>>();
  private retryAtMs = 0;

  constructor(
    private readonly store: SessionStore,
    private readonly provider: OidcProvider,
    private readonly configuration: ProviderConfiguration,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  /**
   * The session's tokens, refreshed if that is due and the provider answers; null for a session by password, or where
   * there is no provider any more.
   * @param options.rejected an access token that the provider did not accept: if it is still the session's, a refresh
   * is due whatever its time
   * @throws AuthError SESSION_EXPIRED when the provider refuses the refresh; then the session has ended
   * @throws AuthError UNAUTHENTICATED when it has ended meanwhile
   * @throws CoreError DATABASE_UNAVAILABLE
   */
  async tokensOf(session: Session, { rejected }: { rejected?: string } = {}): Promise<ProviderTokens | null> {
    if (session.sessionKind !== 'oidc' || !this.configuration.enabled) return null;
    const tokens = await this.store.tokensOf(session.sessionHash);
    // Every session by OIDC has tokens: this one ended since it was looked up.
    if (tokens === null) throw signedOut();
    if (!this.isDue(tokens, rejected) || this.clock.nowMs() < this.retryAtMs) return tokens;
    return this.shareFlight(session, tokens, rejected);
  }

  /**
   * Refreshes the session's tokens if that is due, and says for how long they need no further look.
   * @returns milliseconds since the epoch; Infinity for a session that nothing needs to be done for
   * @throws as {@link tokensOf}
   */
  async keepFresh(session: Session): Promise<number> {
    const tokens = await this.tokensOf(session);
    if (tokens === null || !isRefreshable(tokens)) return Infinity;
    const now = this.clock.nowMs();
    const due = refreshDueAtMs(tokens, this.configuration.settings.refreshSkewMs);
    // Due already, and not refreshed: the provider is to be asked again before long.
    return due > now ? due : Math.max(this.retryAtMs, now + RETRY_AFTER_MS);
  }

  private isDue(tokens: ProviderTokens, rejected: string | undefined): tokens is RefreshableTokens {
    if (!isRefreshable(tokens)) return false;
    if (tokens.accessToken === rejected) return true;
    return refreshDueAtMs(tokens, this.configuration.settings.refreshSkewMs) <= this.clock.nowMs();
  }

  private shareFlight(
    session: Session,
    stale: ProviderTokens,
    rejected: string | undefined,
  ): Promise<ProviderTokens> {
    const { sessionHash } = session;
    const shared = this.flights.get(sessionHash);
    if (shared !== undefined) return shared;
    const flight = this.refreshAlone(session, stale, rejected).finally(() =>
      this.flights.delete(sessionHash),
    );
    this.flights.set(sessionHash, flight);
    return flight;
  }

  private async refreshAlone(
    session: Session,
    stale: ProviderTokens,
    rejected: string | undefined,
  ): Promise<ProviderTokens> {
    const { sessionHash } = session;
    await using lock = await this.control
      .acquire(`oidc-refresh:${sessionHash}`, { timeoutMs: LOCK_WAIT_MS })
      .catch(nullAtTimeout);
    // Another replica is stuck in its refresh: as good as a provider that does not answer.
    if (lock === null) return stale;
    const current = await this.store.tokensOf(sessionHash);
    if (current === null) throw signedOut();
    if (!this.isDue(current, rejected)) return current;
    try {
      return await this.keep(session, await this.provider.refresh(current, session.subject));
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      if (error.kind === 'grant_refused' || error.kind === 'id_token') {
        return this.refused(session, current, lock.signal, error);
      }
      this.retryAtMs = this.clock.nowMs() + RETRY_AFTER_MS;
      this.logger.warn(
        { reason: error.message },
        'the identity provider refreshes no tokens; sessions go on',
      );
      return current;
    }
  }

  private async keep({ sessionHash }: Session, renewed: ProviderTokens): Promise<ProviderTokens> {
    if (await this.replaceTokens(sessionHash, renewed)) return renewed;
    await this.provider.revoke(renewed).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'tokens of a session that ended could not be revoked');
    });
    throw signedOut();
  }

  /** There are no others any more, so a store that is away for a moment is waited for. */
  private async replaceTokens(sessionHash: string, renewed: ProviderTokens): Promise<boolean> {
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      try {
        return await this.store.replaceTokens(sessionHash, renewed);
      } catch (error) {
        if (pause > LONGEST_PAUSE_MS) throw error;
        await delay(pause);
      }
    }
  }

  /** The provider's word ends the session, unless another replica was quicker, which only a lost lock allows. */
  private async refused(
    { sessionHash }: Session,
    used: RefreshableTokens,
    lockLost: AbortSignal,
    failure: ProviderFailure,
  ): Promise<ProviderTokens> {
    const latest = await this.store.tokensOf(sessionHash);
    if (latest !== null && latest.refreshToken !== used.refreshToken) return latest;
    if (lockLost.aborted) return used;
    await this.store.revoke(sessionHash);
    this.logger.log({ reason: failure.message }, 'the identity provider ended a session');
    throw sessionExpired();
  }
}

/** The session is over, in the words that S1's clients compare with. */
export function sessionExpired(): AuthError {
  return new AuthError(
    'SESSION_EXPIRED',
    'Your session has expired at the identity provider. Please sign in again.',
  );
}

function signedOut(): AuthError {
  return new AuthError('UNAUTHENTICATED', 'Your session has ended. Please sign in.');
}

function nullAtTimeout(error: unknown): null {
  if (error instanceof DOMException && error.name === 'TimeoutError') return null;
  throw error;
}
