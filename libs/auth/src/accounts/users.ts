import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { IsNull, type Repository } from 'typeorm';
import { AuthError } from '#common';
import { isUniqueViolation, Transactions, User, UserIdentity, type UserRole } from '#database';
import type { PrincipalUser } from '../principals/principal.js';

export interface NewUser {
  /** Normalised by `emailSchema`. */
  readonly email: string;
  readonly name: string | null;
  readonly passwordHash: string;
  readonly role: UserRole;
  /** For whose address the operator vouches; else nobody has shown yet whose it is. */
  readonly emailVerifiedAt?: Date;
}

/** `tokenGeneration` of an account that was just made. */
export const FIRST_GENERATION = 0;

/** An account as long as it has this address: what was mailed to one address proves nothing of another. */
export interface AccountAddress {
  readonly userId: string;
  readonly email: string;
}

/** The accounts. Within a transaction each method is part of it. */
@Injectable()
export class Users {
  constructor(private readonly transactions: Transactions) {}

  findByEmail(email: string): Promise<User | null> {
    return this.users.findOneBy({ email });
  }

  findById(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /**
   * Makes an account. The database decides whether the address is free: two requests at once can't both have it.
   * @throws AuthError EMAIL_TAKEN
   */
  async create(user: NewUser): Promise<PrincipalUser> {
    const id = randomUUID();
    try {
      await this.users.insert({ ...user, id, tokenGeneration: FIRST_GENERATION });
    } catch (error) {
      if (!isUniqueViolation(error, 'user_email_key')) throw error;
      throw new AuthError('EMAIL_TAKEN', 'There is an account with this e-mail address. Sign in instead.', {
        cause: error,
      });
    }
    const { email, name, role, emailVerifiedAt } = user;
    return { id, email, name, role, emailVerified: emailVerifiedAt !== undefined, totpEnabled: false };
  }

  /**
   * Puts another hash in the place of this one, and of no other: one that was set meanwhile stays.
   * @returns whether it did
   */
  async replacePasswordHash(id: string, from: string, to: string): Promise<boolean> {
    const { affected } = await this.users.update({ id, passwordHash: from }, { passwordHash: to });
    return affected === 1;
  }

  /**
   * Sets the password of an account that is not disabled and still has this address.
   * @returns whether it did
   */
  async setPassword({ userId, email }: AccountAddress, passwordHash: string): Promise<boolean> {
    const open = { id: userId, email, disabledAt: IsNull() };
    const { affected } = await this.users.update(open, { passwordHash });
    return affected === 1;
  }

  /**
   * Notes that the address is the account's owner's.
   * @returns whether that is news; false as well when the account has another address by now
   */
  async markVerified({ userId, email }: AccountAddress, at: Date): Promise<boolean> {
    const unverified = { id: userId, email, emailVerifiedAt: IsNull() };
    const { affected } = await this.users.update(unverified, { emailVerifiedAt: at });
    return affected === 1;
  }

  /**
   * Unties whoever signs in to the account at the OIDC provider, which may vouch for its address and tie them anew. For
   * when its owner shows up: the others came in while nobody had shown whose address it is.
   */
  async dropIdentities(id: string): Promise<void> {
    await this.transactions.manager.delete(UserIdentity, { userId: id });
  }

  async setRole(id: string, role: UserRole): Promise<void> {
    await this.users.update({ id }, { role });
  }

  private get users(): Repository<User> {
    return this.transactions.manager.getRepository(User);
  }
}

/** An account as others may see it. */
export function publicUser(user: User): PrincipalUser {
  const { id, email, name, role, emailVerifiedAt, totpConfirmedAt } = user;
  return {
    id,
    email,
    name,
    role,
    emailVerified: emailVerifiedAt !== null,
    totpEnabled: totpConfirmedAt !== null,
  };
}
