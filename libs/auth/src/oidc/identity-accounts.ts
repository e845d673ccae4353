import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { AuthError, Clock } from '#common';
import { isUniqueViolation, OneTimeToken, RecoveryCode, User, UserIdentity } from '#database';
import { Users } from '../accounts/users.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { ProviderIdentity } from './provider-identity.js';

/** Somebody may be quicker, and then somebody may delete that account; more than that is no coincidence. */
const MAX_ATTEMPTS = 3;

/** The account of somebody who signs in at the provider. */
export interface IdentityAccount {
  readonly user: User;
  /** What this sign-in has made of it: either may be the time for a slice. */
  readonly became: 'created' | 'verified' | null;
}

/** Which account an identity of the provider stands for. */
@Injectable()
export class IdentityAccounts {
  private readonly logger = new Logger(IdentityAccounts.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly users: Users,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  /**
   * The account tied to the identity; else the one with its address, which is tied to it from now on; else a new one.
   * Of two first sign-ins at once the database lets one through, and the other finds what that one made.
   * @throws AuthError EMAIL_TAKEN, ACCOUNT_DISABLED
   */
  async accountOf(identity: ProviderIdentity): Promise<IdentityAccount> {
    for (let attempt = 1; ; attempt++) {
      try {
        const account =
          (await this.known(identity)) ?? (await this.link(identity)) ?? (await this.create(identity));
        if (account.user.disabledAt !== null) throw accountDisabled();
        return account;
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isUniqueViolation(error)) throw error;
      }
    }
  }

  private async known({
    issuer,
    subject,
    email,
    emailVerified,
  }: ProviderIdentity): Promise<IdentityAccount | null> {
    const tie = await this.dataSource
      .getRepository(UserIdentity)
      .findOne({ where: { issuer, subject }, relations: { user: true } });
    const user = tie?.user;
    if (user === undefined) return null;
    const verifiedNow = emailVerified && user.email === email && user.emailVerifiedAt === null;
    if (verifiedNow) {
      user.emailVerifiedAt = this.clock.now();
      await this.dataSource
        .getRepository(User)
        .update({ id: user.id, emailVerifiedAt: IsNull() }, { emailVerifiedAt: user.emailVerifiedAt });
    }
    return { user, became: verifiedNow ? 'verified' : null };
  }

  /** By its address alone, an account is given only to whom the provider knows to own the address. */
  private async link(identity: ProviderIdentity): Promise<IdentityAccount | null> {
    const user = await this.users.findByEmail(identity.email);
    if (user === null) return null;
    if (user.disabledAt !== null) throw accountDisabled();
    if (!identity.emailVerified) throw addressNotVerified();
    if (user.role === 'admin') throw administratorsAccount();
    if (user.emailVerifiedAt === null) return this.takeOver(user, identity);
    await this.tie(this.dataSource.manager, user.id, identity);
    return { user, became: null };
  }

  /**
   * Whoever registered the account never showed that the address is theirs; now its owner is here. What the other one
   * could still come in by, a password or an open session above all, ends in the transaction that ties the owner to it
   * (account pre-hijacking: Sudhodanan and Paverd, USENIX Security 2022).
   */
  private async takeOver({ id }: User, identity: ProviderIdentity): Promise<IdentityAccount> {
    await this.sessions.endAll(id, {
      change: async (manager) => {
        await manager.delete(UserIdentity, { userId: id });
        await manager.delete(RecoveryCode, { userId: id });
        await manager.delete(OneTimeToken, { userId: id });
        await manager.update(
          User,
          { id },
          {
            emailVerifiedAt: this.clock.now(),
            passwordHash: null,
            totpSecretSealed: null,
            totpConfirmedAt: null,
            totpLastStep: null,
          },
        );
        await this.tie(manager, id, identity);
      },
    });
    this.logger.warn(
      { userId: id },
      'the owner of an address that nobody had verified signed in; the account has lost its password and sessions',
    );
    return { user: await this.dataSource.getRepository(User).findOneByOrFail({ id }), became: 'verified' };
  }

  private async create(identity: ProviderIdentity): Promise<IdentityAccount> {
    const id = randomUUID();
    const { email, emailVerified, name } = identity;
    const user = await this.dataSource.transaction(async (manager) => {
      // Whatever the provider says of roles and groups: an admin is made here, and nowhere else.
      const emailVerifiedAt = emailVerified ? this.clock.now() : null;
      await manager.insert(User, { id, email, name, passwordHash: null, role: 'member', emailVerifiedAt });
      await this.tie(manager, id, identity);
      return manager.findOneByOrFail(User, { id });
    });
    return { user, became: 'created' };
  }

  private async tie(
    manager: EntityManager,
    userId: string,
    { issuer, subject }: ProviderIdentity,
  ): Promise<void> {
    await manager.insert(UserIdentity, { issuer, subject, userId });
  }
}

function accountDisabled(): AuthError {
  return new AuthError('ACCOUNT_DISABLED', 'This account is disabled. Please ask the operator.');
}

function addressNotVerified(): AuthError {
  return new AuthError(
    'EMAIL_TAKEN',
    'There is an account with this e-mail address, and the identity provider does not say that the address is yours. Sign in with your password, or verify the address at the provider.',
  );
}

function administratorsAccount(): AuthError {
  return new AuthError(
    'EMAIL_TAKEN',
    "This e-mail address is an administrator's, whose account is never given away by its address alone. Sign in with your password.",
  );
}
