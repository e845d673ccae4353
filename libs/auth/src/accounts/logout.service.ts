import { Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { ProviderSignOut } from '../oidc/provider-sign-out.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { WithCookie } from './with-cookie.js';

/** Signing out. */
@Injectable()
export class LogoutService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly provider: ProviderSignOut,
  ) {}

  /**
   * Signs out; also a browser that was not signed in. Resolves when every replica has been told, and the OIDC provider
   * as well if it hears.
   * @throws AuthError AMBIGUOUS_SESSION
   */
  async logout(caller: Caller): Promise<WithCookie<undefined>> {
    const presented = this.sessions.presentedBy(caller);
    const cookie = await this.provider.around(presented, () => this.sessions.close(caller));
    return new WithCookie(undefined, cookie);
  }
}
