import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AuthError, Clock } from '#common';
import { AppConfig } from '#config';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { emailSchema } from './schemas.js';
import { Users } from './users.js';

/**
 * Makes the first admin (`ADMIN_EMAIL`, `ADMIN_PASSWORD`) when nobody has that address. An account that is there
 * already stays as it is, password, role and all: the variables are for the first start, and whoever registered the
 * operator's address must not become an admin by it.
 */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  private readonly logger = new Logger(FirstAdmin.name);

  constructor(
    private readonly config: AppConfig,
    private readonly users: Users,
    private readonly passwords: PasswordHasher,
    private readonly clock: Clock,
  ) {}

  /** Runs before the server listens, so nobody can take the address first. */
  async onApplicationBootstrap(): Promise<void> {
    const email = emailSchema.parse(this.config.admin.email);
    const existing = await this.users.findByEmail(email);
    if (existing === null) await this.create(email);
    else if (existing.role !== 'admin') {
      this.logger.warn(`${email} (ADMIN_EMAIL) has an account that is not an admin's; it was left as it is`);
    }
  }

  private async create(email: string): Promise<void> {
    const passwordHash = await this.passwords.hash(this.config.admin.password);
    try {
      await this.users.create({
        email,
        name: null,
        passwordHash,
        role: 'admin',
        emailVerifiedAt: this.clock.now(),
      });
      this.logger.log(`created the first admin, ${email}`);
    } catch (error) {
      // Another replica that starts at the same time was quicker; it made the same account.
      if (!(error instanceof AuthError && error.code === 'EMAIL_TAKEN')) throw error;
    }
  }
}
