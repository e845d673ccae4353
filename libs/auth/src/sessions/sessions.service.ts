import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuthError } from '#common';
import { Transactions, User } from '#database';
import type { Caller } from '../access/caller.js';
import { SessionCookie } from './session-cookie.js';
import { hashSessionId, newSessionId } from './session-id.js';
import { SessionRevocations } from './session-revocations.js';
import { type NewSession, SessionStore } from './session-store.js';

/** How a session is opened; by password unless something else is said. */
export interface Opening extends Partial<Pick<NewSession, 'kind' | 'subject' | 'tokens'>> {
  /** `tokenGeneration` of the account when the password was checked: what has ended since then is not to be opened. */
  readonly generation?: number;
}

/** What belongs to the end of all of a user's access. */
export interface Ending {
  /** The session that goes on: of whoever changes their own password, say. */
  readonly except?: string;
  /**
   * What the access ends for, in the same transaction: when it throws, or says that it changed nothing by `false`,
   * nothing ends.
   */
  readonly change?: (manager: EntityManager) => Promise<void> | Promise<boolean>;
}

/** Opens and ends the sessions of browsers. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly store: SessionStore,
    private readonly cookie: SessionCookie,
    private readonly transactions: Transactions,
    private readonly revocations: SessionRevocations,
  ) {}

  /**
   * Signs a user in under a new id, and ends whatever session the browser presented: an id that was known before the
   * sign-in, to whoever planted it, must be worth nothing after it (session fixation, OWASP ASVS 7.2.4).
   * @returns the `Set-Cookie` value
   * @throws AuthError AMBIGUOUS_SESSION; then nothing is changed
   * @throws AuthError INVALID_CREDENTIALS when all access of the user has ended since the password was checked
   */
  async open(userId: string, caller: Caller, opening: Opening = {}): Promise<string> {
    const { kind = 'password', subject = null, tokens = null, generation } = opening;
    const presented = this.presentedBy(caller);
    const id = newSessionId();
    const hash = hashSessionId(id);
    const { ip, userAgent } = caller;
    await this.store.create({ hash, userId, kind, subject, tokens, ip, userAgent });
    if (generation !== undefined) await this.assertCurrent(userId, generation, hash);
    await this.end(presented);
    return this.cookie.issue(id, kind);
  }

  /**
   * Ends every session the caller presents.
   * @returns the `Set-Cookie` value that clears the cookie
   */
  async close(caller: Caller): Promise<string> {
    await this.end(this.presentedBy(caller));
    return this.cookie.clear();
  }

  /**
   * Ends all access of a user, on every replica: sessions with their WebSockets, and gateway tokens. One transaction,
   * so that a change of role or password is never in force beside the sessions from before it.
   * @returns false when `change` changed nothing
   * @throws what `change` throws, or the store; then it may be repeated
   */
  async endAll(userId: string, { except, change }: Ending = {}): Promise<boolean> {
    const ended = await this.transactions.run(async (manager) => {
      if ((await change?.(manager)) === false) return false;
      await manager.increment(User, { id: userId }, 'tokenGeneration', 1);
      if (except === undefined) await this.store.revokeAll(userId, manager);
      else await this.store.revokeOthers(userId, except, manager);
      return true;
    });
    const rest = except === undefined ? {} : { exceptHash: except };
    if (ended) this.revocations.deliver({ userId, sessionHash: null, ...rest });
    return ended;
  }

  /**
   * The hashes of the sessions that the caller presents, valid or not.
   * @throws AuthError AMBIGUOUS_SESSION when there are more than anybody needs
   */
  presentedBy(caller: Caller): string[] {
    return this.cookie.hashesIn(caller.cookieHeader).filter((hash) => hash !== null);
  }

  /**
   * A sign-in that overlaps with a change of the password could open its session after all others were ended. So it is
   * looked at once more when the session is there; the lock waits for a change that has ended them and not committed.
   */
  private async assertCurrent(userId: string, generation: number, hash: string): Promise<void> {
    const current = await this.transactions.manager.query<unknown[]>(
      'SELECT 1 FROM "user" WHERE id = $1 AND token_generation = $2 FOR SHARE',
      [userId, generation],
    );
    if (current.length > 0) return;
    await this.store.revoke(hash);
    throw new AuthError(
      'INVALID_CREDENTIALS',
      'Your account was changed while you signed in. Please sign in again.',
    );
  }

  private async end(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) await this.store.revoke(hash);
  }
}
