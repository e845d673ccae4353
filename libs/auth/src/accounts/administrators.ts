import { Injectable } from '@nestjs/common';
import { CoreError, detailsOf, validationFailed } from '#common';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { emailSchema, newPasswordSchema } from './schemas.js';
import { Users } from './users.js';

/** Makes admins, for whoever can run a program beside the gateway. */
@Injectable()
export class Administrators {
  constructor(
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * Makes an account with the role `admin`.
   * @throws AuthError EMAIL_TAKEN
   * @throws CoreError VALIDATION_FAILED
   */
  async create(address: string, password: string): Promise<void> {
    const email = normalized(address);
    const { error } = newPasswordSchema.safeParse(password);
    if (error !== undefined) throw validationFailed(detailsOf(error.issues));
    const passwordHash = await this.passwords.hash(password);
    await this.users.create({ email, name: null, passwordHash, role: 'admin' });
  }

  /**
   * Gives an account the role `admin`. Its password stays; it is signed out everywhere, as with every change of role.
   * @returns false when it had the role already
   * @throws CoreError NOT_FOUND, VALIDATION_FAILED
   */
  async promote(address: string): Promise<boolean> {
    const email = normalized(address);
    const user = await this.users.findByEmail(email);
    if (user === null) throw new CoreError('NOT_FOUND', `Nobody has an account with ${email}.`);
    if (user.role === 'admin') return false;
    await this.sessions.endAll(user.id, { change: () => this.users.setRole(user.id, 'admin') });
    return true;
  }
}

function normalized(address: string): string {
  const { data, error } = emailSchema.safeParse(address);
  if (error !== undefined) throw validationFailed(detailsOf(error.issues));
  return data;
}
