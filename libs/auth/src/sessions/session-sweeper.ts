import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { LoginStates } from './login-states.js';
import { SessionStore } from './session-store.js';

const SWEEP_INTERVAL_MS = 3_600_000;

/**
 * Deletes expired sessions, and sign-ins that nobody finished, each hour. That is housekeeping, since what has expired
 * is nothing anyhow, so every replica may do it: rows that another one is deleting are skipped.
 */
@Injectable()
export class SessionSweeper implements OnModuleDestroy {
  private readonly logger = new Logger(SessionSweeper.name);
  private running: Promise<void> | null = null;

  constructor(
    private readonly sessions: SessionStore,
    private readonly logins: LoginStates,
  ) {}

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
      const sessions = await this.sessions.sweep();
      const logins = await this.logins.sweep();
      if (sessions + logins > 0) {
        this.logger.log(`deleted ${sessions} expired sessions and ${logins} unfinished sign-ins`);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'expired sessions could not be deleted; the next pass tries again');
    }
  }
}
