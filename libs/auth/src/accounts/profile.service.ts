import { Injectable } from '@nestjs/common';
import { AuthError } from '#common';
import type { Caller } from '../access/caller.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { SessionCookie } from '../sessions/session-cookie.js';
import { SessionStore } from '../sessions/session-store.js';
import type { Profile } from './schemas.js';
import { SliceAllocator } from './slice-allocator.js';
import { SubscriptionReader } from './subscription-reader.js';
import { WithCookie } from './with-cookie.js';

/** What the customer portal shows first. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly sessions: SessionStore,
    private readonly cookie: SessionCookie,
    private readonly slices: SliceAllocator,
    private readonly subscriptions: SubscriptionReader,
  ) {}

  /**
   * Who is signed in and what they have. Extends the session, in the store and in the browser.
   * @throws AuthError UNAUTHENTICATED when the session ended in this very moment
   */
  async profileOf(session: SessionPrincipal, caller: Caller): Promise<WithCookie<Profile>> {
    const stillThere = await this.sessions.touch(session.sessionHash, 0);
    if (!stillThere) throw new AuthError('UNAUTHENTICATED', 'Your session has ended. Please sign in.');
    const slice = await this.slices.sliceOf(session.user.id);
    const subscription = await this.subscriptions.subscriptionOf(session.user.id);
    return new WithCookie(
      { user: session.user, slice, subscription },
      this.cookie.renew(caller.cookieHeader, session.sessionHash, session.sessionKind),
    );
  }
}
