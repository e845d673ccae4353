import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog, AuthError, Clock } from '#common';
import { OneTimeToken, User, UserIdentity } from '#database';
import type { Caller } from '../access/caller.js';
import type { SessionPrincipal } from '../principals/principal.js';
import { SessionCookie } from '../sessions/session-cookie.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { TotpFactors } from '../totp/totp-factors.js';
import type { AccountDeletionRequest } from './account-schemas.js';
import { Reauthentication } from './reauthentication.js';
import { SliceAllocator } from './slice-allocator.js';
import { WithCookie } from './with-cookie.js';

/** Ends an account in its owner's name. */
@Injectable()
export class AccountDeletion {
  private readonly logger = new Logger(AccountDeletion.name);

  constructor(
    private readonly reauthentication: Reauthentication,
    private readonly sessions: SessionsService,
    private readonly factors: TotpFactors,
    private readonly slices: SliceAllocator,
    private readonly cookie: SessionCookie,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Forgets who the account is, ends all of its access, and stops its slice, in one transaction. The slice's data goes
   * after `SLICE_RETENTION_DAYS`; until then the operator can still hand it out to whom it belongs.
   * @throws AuthError REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS, ADMIN_ACCOUNT; then nothing is changed
   */
  async delete(
    session: SessionPrincipal,
    { password }: AccountDeletionRequest,
    caller: Caller,
  ): Promise<WithCookie<undefined>> {
    const { id } = session.user;
    await this.reauthentication.require(session, password, caller);
    await this.sessions.endAll(id, { change: (manager) => this.forget(manager, id) });
    this.logger.log(`user ${id} deleted their account`);
    return new WithCookie(undefined, this.cookie.clear());
  }

  private async forget(manager: EntityManager, id: string): Promise<void> {
    const user = await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (user?.role === 'admin') throw adminAccount();
    const now = this.clock.now();
    await manager.update(
      User,
      { id },
      {
        // No mail can go there (RFC 2606 §2), and nobody can register it.
        email: `${id}@deleted.invalid`,
        name: null,
        passwordHash: null,
        emailVerifiedAt: null,
        disabledAt: now,
        deletedAt: now,
      },
    );
    await this.factors.remove(id, manager);
    await manager.delete(UserIdentity, { userId: id });
    await manager.delete(OneTimeToken, { userId: id });
    await this.slices.retire(id);
    await this.audit.record({ action: 'account.delete', target: { kind: 'user', id } });
  }
}

function adminAccount(): AuthError {
  return new AuthError(
    'ADMIN_ACCOUNT',
    'This is the account of an admin. Another admin has to make it a member first.',
  );
}
