import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '#config';
import type { PrincipalUser } from '../principals/principal.js';
import { type CustomerSlice, SliceAllocator } from './slice-allocator.js';

/** The slice that comes with an account: at sign-up, or, with `REQUIRE_VERIFIED_EMAIL`, once the address is verified. */
@Injectable()
export class FirstSlice {
  private readonly logger = new Logger(FirstSlice.name);

  constructor(
    private readonly config: AppConfig,
    private readonly slices: SliceAllocator,
  ) {}

  /**
   * Gives a customer the first slice, unless it has to wait for the address. The account stands whether or not a slice
   * could be had, so this does not throw.
   */
  async giveTo(user: PrincipalUser): Promise<CustomerSlice | null> {
    if (this.mustWait(user)) return null;
    try {
      return await this.slices.allocate(user);
    } catch (error) {
      this.logger.error({ err: error, userId: user.id }, 'a new customer was given no slice');
      return null;
    }
  }

  /** The slice, at last, of one who had to wait for it until just now. */
  async giveAfterVerification(user: PrincipalUser): Promise<void> {
    const waited = this.config.mail.requireVerifiedAddress && user.role === 'member';
    if (waited) await this.giveTo(user);
  }

  private mustWait({ emailVerified }: PrincipalUser): boolean {
    return this.config.mail.requireVerifiedAddress && !emailVerified;
  }
}
