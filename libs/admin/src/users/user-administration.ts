import { Injectable, Logger } from '@nestjs/common';
import { IsNull, type EntityManager } from 'typeorm';
import {
  type Principal,
  sessionFacts,
  SessionsService,
  SessionStore,
  type SessionFacts,
  TotpFactors,
} from '#auth';
import { AdminError, type AuditedFacts, AuditLog, Clock } from '#common';
import { User } from '#database';
import { nameOf, userOf } from '../actor.js';
import type { UserChange, UserView } from './schemas.js';
import { UserDirectory, userNotFound } from './user-directory.js';

/** Changes accounts in the operator's name. Whatever changes what an account may do ends all of its access first. */
@Injectable()
export class UserAdministration {
  private readonly logger = new Logger(UserAdministration.name);

  constructor(
    private readonly sessions: SessionsService,
    private readonly store: SessionStore,
    private readonly factors: TotpFactors,
    private readonly users: UserDirectory,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Changes the role of an account, or whether it is disabled. Its sessions, their WebSockets and its gateway tokens
   * end with that, in the same transaction; a change that changes nothing ends nothing.
   * @throws AdminError USER_NOT_FOUND, LAST_ADMIN, OWN_ACCOUNT, EMAIL_UNVERIFIED; then nothing is changed
   */
  async change(id: string, change: UserChange, by: Principal): Promise<UserView> {
    if (losesAdmin(change))
      refuseOwn(id, by, 'You can not demote or disable yourself; ask another admin, or use the admin key.');
    const changed = await this.sessions.endAll(id, { change: (manager) => this.apply(manager, id, change) });
    if (changed) this.logger.log(`user ${id} was changed to ${JSON.stringify(change)} by ${nameOf(by)}`);
    return this.users.get(id);
  }

  /**
   * Ends all access of an account, which may sign in again.
   * @throws AdminError USER_NOT_FOUND
   */
  async signOut(id: string, by: Principal): Promise<void> {
    await this.sessions.endAll(id, {
      change: async (manager) => {
        if (!(await manager.existsBy(User, { id, deletedAt: IsNull() }))) throw userNotFound();
        await this.audit.record({ action: 'user.sign_out', target: target(id) });
      },
    });
    this.logger.log(`user ${id} was signed out everywhere by ${nameOf(by)}`);
  }

  /**
   * Turns the second factor of an account off, recovery codes and all, and ends all of its access. Admins turn their
   * own off at `/auth/totp`, which asks for a code: a stolen session would not need one here.
   * @throws AdminError USER_NOT_FOUND, OWN_ACCOUNT
   */
  async removeTotp(id: string, by: Principal): Promise<void> {
    refuseOwn(id, by, 'Turn your own two factors off by DELETE /auth/totp, or ask another admin.');
    let removed = false;
    await this.sessions.endAll(id, {
      change: async (manager) => {
        if (!(await manager.existsBy(User, { id, deletedAt: IsNull() }))) throw userNotFound();
        removed = await this.factors.remove(id, manager);
        const facts = { before: { totpEnabled: removed }, after: { totpEnabled: false } };
        await this.audit.record({ action: 'user.remove_totp', target: target(id), ...facts });
      },
    });
    const done = removed
      ? `the two factors of user ${id} were turned off`
      : `user ${id} was signed out everywhere`;
    this.logger.log(`${done} by ${nameOf(by)}`);
  }

  /** @throws AdminError USER_NOT_FOUND */
  async sessionsOf(id: string): Promise<SessionFacts[]> {
    await this.users.get(id);
    return (await this.store.list(id)).map(sessionFacts);
  }

  /**
   * Ends one session of an account.
   * @throws AdminError USER_NOT_FOUND, SESSION_NOT_FOUND when the account has no such session, whoever else may
   */
  async endSession(id: string, session: string): Promise<void> {
    const own = (await this.sessionsOf(id)).find((each) => each.id === session);
    if (own === undefined) throw sessionNotFound();
    const { ip, userAgent, createdAt } = own;
    // Written first: where sessions are kept in Redis there is no transaction for both.
    await this.audit.record({
      action: 'user.end_session',
      target: target(id),
      before: { ip, userAgent, createdAt },
    });
    await this.store.revoke(session);
  }

  /** @returns whether it changes anything */
  private async apply(manager: EntityManager, id: string, { role, disabled }: UserChange): Promise<boolean> {
    const admins = await lockAdmins(manager);
    const user = await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (user === null || user.deletedAt !== null) throw userNotFound();
    const next = {
      role: role ?? user.role,
      disabledAt: (disabled ?? user.disabledAt !== null) ? (user.disabledAt ?? this.clock.now()) : null,
    };
    if (next.role === user.role && next.disabledAt === user.disabledAt) return false;
    if (next.role === 'admin' && user.role !== 'admin' && user.emailVerifiedAt === null) {
      throw addressUnverified();
    }
    const others = admins.filter((admin) => admin.id !== id);
    const staysAdmin = next.role === 'admin' && next.disabledAt === null;
    if (others.length < admins.length && others.length === 0 && !staysAdmin) throw lastAdmin();
    await manager.update(User, { id }, next);
    const facts = { before: factsOf(user), after: factsOf(next) };
    await this.audit.record({ action: 'user.change', target: target(id), ...facts });
    return true;
  }
}

/**
 * Every admin that is one, locked until the transaction ends: two who demote each other at the same time do it one
 * after the other, and the second finds that it is the last.
 */
function lockAdmins(manager: EntityManager): Promise<User[]> {
  return manager.find(User, {
    where: { role: 'admin', disabledAt: IsNull() },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
}

const target = (id: string) => ({ kind: 'user', id });

function factsOf({ role, disabledAt }: Pick<User, 'role' | 'disabledAt'>): AuditedFacts {
  return { role, disabled: disabledAt !== null };
}

function losesAdmin({ role, disabled }: UserChange): boolean {
  return role === 'member' || disabled === true;
}

/** A slip, or a thief's work; with the admin key, or as another admin, it is meant. */
function refuseOwn(id: string, by: Principal, message: string): void {
  if (userOf(by)?.id !== id) return;
  throw new AdminError('OWN_ACCOUNT', message);
}

function sessionNotFound(): AdminError {
  return new AdminError('SESSION_NOT_FOUND', 'This account has no such session, or no more.');
}

function lastAdmin(): AdminError {
  return new AdminError(
    'LAST_ADMIN',
    'This is the last admin that is not disabled. Make somebody else an admin first.',
  );
}

/** The operator means whoever owns the address, and that need not be who registered it. */
function addressUnverified(): AdminError {
  return new AdminError(
    'EMAIL_UNVERIFIED',
    'Nobody has shown that the address of this account is theirs. Have it verified first, or see `admin:create --promote --unverified`.',
  );
}
