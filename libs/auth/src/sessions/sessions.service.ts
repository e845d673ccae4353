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
   */
  async open(userId: string, caller: Caller): Promise<string> {
    const id = newSessionId();
    await this.store.create({
      hash: hashSessionId(id),
      userId,
      ip: caller.ip,
      userAgent: caller.userAgent,
    });
    await this.endPresented(caller);
    return this.cookie.issue(id);
  }

  /**
   * Ends every session the caller presents.
   * @returns the `Set-Cookie` value that clears the cookie
   */
  async close(caller: Caller): Promise<string> {
    await this.endPresented(caller);
    return this.cookie.clear();
  }

  private async endPresented(caller: Caller): Promise<void> {
    for (const hash of this.cookie.hashesIn(caller.cookieHeader)) await this.store.revoke(hash);
  }
}
