import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { AuthError } from '#common';
import { isUniqueViolation, User, type UserRole } from '#database';
import type { PrincipalUser } from '../principals/principal.js';

export interface NewUser {
  /** Normalised by `emailSchema`. */
  readonly email: string;
  readonly name: string | null;
  readonly passwordHash: string;
  readonly role: UserRole;
}

/** The accounts. */
@Injectable()
export class Users {
  constructor(private readonly dataSource: DataSource) {}

  findByEmail(email: string): Promise<User | null> {
    return this.dataSource.getRepository(User).findOneBy({ email });
  }

  /**
   * Makes an account. The database decides whether the address is free: two requests at once can't both have it.
   * @throws AuthError EMAIL_TAKEN
   */
  async create(user: NewUser): Promise<PrincipalUser> {
    const id = randomUUID();
    try {
      await this.dataSource.getRepository(User).insert({ ...user, id });
    } catch (error) {
      if (!isUniqueViolation(error, 'user_email_key')) throw error;
      throw new AuthError('EMAIL_TAKEN', 'There is an account with this e-mail address. Sign in instead.', {
        cause: error,
      });
    }
    const { email, name, role } = user;
    return { id, email, name, role, emailVerified: false, totpEnabled: false };
  }

  async changePasswordHash(id: string, passwordHash: string): Promise<void> {
    await this.dataSource.getRepository(User).update({ id }, { passwordHash });
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
