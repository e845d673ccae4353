import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SliceAllocator } from '#auth';
import { Clock } from '#common';
import { AppConfig } from '#config';

/** The look goes over all users, so it is not had with every change of a slice. */
const EVERY_MS = 5000;
const AT_ONCE = 10;

/**
 * Serves customers who got no slice when they signed up, because none was ready or none could be made just then. One
 * whose slice the operator has destroyed is not waiting: the tombstone tells. Nor is, with `REQUIRE_VERIFIED_EMAIL`,
 * one whose address is not verified.
 */
@Injectable()
export class WaitingCustomers {
  private lookedAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly allocator: SliceAllocator,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** Gives the longest waiting ones a slice each, as long as there is one to be had. */
  async serve(): Promise<void> {
    const now = this.clock.nowMs();
    if (now - this.lookedAt < EVERY_MS) return;
    this.lookedAt = now;
    for (const user of await this.waiting()) {
      if ((await this.allocator.allocate(user)) === null) return;
    }
  }

  private waiting(): Promise<{ id: string; email: string }[]> {
    return this.dataSource.query(
      `SELECT u.id, u.email FROM "user" u
        WHERE u.role = 'member' AND u.disabled_at IS NULL
          AND (u.email_verified_at IS NOT NULL OR NOT $1::boolean)
          AND NOT EXISTS (SELECT FROM slice s WHERE s.owner_id = u.id)
        ORDER BY u.created_at LIMIT ${AT_ONCE}`,
      [this.config.mail.requireVerifiedAddress],
    );
  }
}
