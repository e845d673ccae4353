import { Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { SessionCookie } from './session-cookie.js';
import { hashSessionId, newSessionId } from './session-id.js';
import { SessionStore } from './session-store.js';

/** Opens and ends the sessions of browsers. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly store: SessionStore,
    private readonly cookie: SessionCookie,
  ) {}

  /**
   * Signs a user in under a new id, and ends whatever session the browser presented: an id that was known before the
   * sign-in, to whoever planted it, must be worth nothing after it (session fixation, OWASP ASVS 7.2.4).
   * @returns the `Set-Cookie` value
   * @throws AuthError AMBIGUOUS_SESSION; then nothing is changed
   */
  async open(userId: string, caller: Caller): Promise<string> {
    const presented = this.presentedBy(caller);
    const id = newSessionId();
    await this.store.create({
      hash: hashSessionId(id),
      userId,
      ip: caller.ip,
      userAgent: caller.userAgent,
    });
    await this.end(presented);
    return this.cookie.issue(id);
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
   * The hashes of the sessions that the caller presents, valid or not.
   * @throws AuthError AMBIGUOUS_SESSION when there are more than anybody needs
   */
  presentedBy(caller: Caller): string[] {
    return this.cookie.hashesIn(caller.cookieHeader).filter((hash) => hash !== null);
  }

  private async end(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) await this.store.revoke(hash);
  }
}
