import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { AppConfig } from '#config';

const SWEEP_INTERVAL_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** So many rows in one statement: a long one would hold others up. */
const BATCH = 5000;

/** Deletes what the audit has kept for `AUDIT_RETENTION_DAYS`. Every replica may: rows another deletes are skipped. */
@Injectable()
export class AuditSweeper implements OnModuleDestroy {
  private readonly logger = new Logger(AuditSweeper.name);
  private running: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** One pass; a call while one is under way joins it. */
  @Interval(SWEEP_INTERVAL_MS)
  sweep(): Promise<void> {
    this.running ??= this.pass().finally(() => (this.running = null));
    return this.running;
  }

  /** The database is closed after this. */
  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async pass(): Promise<void> {
    const before = new Date(this.clock.nowMs() - this.config.admin.auditRetentionDays * DAY_MS);
    try {
      while (!this.stopping && (await this.deleteSome(before)) === BATCH);
    } catch (error) {
      this.logger.warn(
        { err: error },
        'old entries of the audit could not be deleted; the next pass tries again',
      );
    }
  }

  private async deleteSome(before: Date): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown, number]>(
      `DELETE FROM audit_entry WHERE id IN (
         SELECT id FROM audit_entry WHERE at < $1 ORDER BY at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      [before],
    );
    return deleted;
  }
}
