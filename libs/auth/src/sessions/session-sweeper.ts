import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SessionStore } from './session-store.js';

const SWEEP_INTERVAL_MS = 3_600_000;

/**
 * Deletes expired sessions each hour. That is housekeeping, since an expired session is none anyhow, so every replica
 * may do it: rows that another one is deleting are skipped.
 */
@Injectable()
export class SessionSweeper implements OnModuleDestroy {
  private readonly logger = new Logger(SessionSweeper.name);
  private running: Promise<void> | null = null;

  constructor(private readonly sessions: SessionStore) {}

  /** One pass; a call while one is under way joins it. */
  @Interval(SWEEP_INTERVAL_MS)
  sweep(): Promise<void> {
    this.running ??= this.pass().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** The database is closed after this: a pass under way must not meet a closed pool. */
  async onModuleDestroy(): Promise<void> {
    await this.running;
  }

  private async pass(): Promise<void> {
    try {
      const swept = await this.sessions.sweep();
      if (swept > 0) this.logger.log(`deleted ${swept} expired sessions`);
    } catch (error) {
      this.logger.warn({ err: error }, 'expired sessions could not be deleted; the next pass tries again');
    }
  }
}
