import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { AdminError, Clock, CoreError, validationFailed } from '#common';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { emailSchema, newPasswordSchema } from './schemas.js';
import { Users } from './users.js';

/** How an account is made an admin's. */
export interface Promotion {
  /** Even though nobody has shown that its address is theirs. */
  readonly unverified?: boolean;
}

/** Makes admins, for whoever can run a program beside the gateway. */
@Injectable()
export class Administrators {
  constructor(
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes an account with the role `admin`. Its address counts as verified: the operator named it.
   * @throws AuthError EMAIL_TAKEN
   * @throws CoreError VALIDATION_FAILED
   */
  async create(address: string, password: string): Promise<void> {
    const email = normalized(address);
    const { error } = newPasswordSchema.safeParse(password);
    if (error !== undefined) throw faulty('password', error);
    const passwordHash = await this.passwords.hash(password);
    await this.users.create({
      email,
      name: null,
      passwordHash,
      role: 'admin',
      emailVerifiedAt: this.clock.now(),
    });
  }

  /**
   * Gives an account the role `admin`. Its password stays; it is signed out everywhere, as with every change of role.
   * @returns false when it had the role already
   * @throws CoreError NOT_FOUND, VALIDATION_FAILED
   * @throws AdminError EMAIL_UNVERIFIED: anybody may have registered the address
   */
  async promote(address: string, { unverified = false }: Promotion = {}): Promise<boolean> {
    const email = normalized(address);
    const user = await this.users.findByEmail(email);
    if (user === null) throw new CoreError('NOT_FOUND', `Nobody has an account with ${email}.`);
    if (user.role === 'admin') return false;
    if (user.emailVerifiedAt === null && !unverified) throw addressUnverified(email);
    await this.sessions.endAll(user.id, { change: () => this.users.setRole(user.id, 'admin') });
    return true;
  }
}

function addressUnverified(email: string): AdminError {
  return new AdminError(
    'EMAIL_UNVERIFIED',
    `Nobody has shown that ${email} is theirs: anybody may have registered it. Have it verified first.`,
  );
}

function normalized(address: string): string {
  const { data, error } = emailSchema.safeParse(address);
  if (error !== undefined) throw faulty('email', error);
  return data;
}

function faulty(path: string, { issues }: z.ZodError): CoreError {
  return validationFailed(issues.map(({ message }) => ({ path, message })));
}
