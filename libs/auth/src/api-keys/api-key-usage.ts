import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { Clock } from '#common';

/** What a crash loses at the most. */
const FLUSH_INTERVAL_MS = 5000;

interface Use {
  count: number;
  lastUsedAt: Date;
}

/** Counts the requests of API keys in memory, and writes them down in batches: no request waits for that. */
@Injectable()
export class ApiKeyUsage implements OnModuleDestroy {
  private readonly logger = new Logger(ApiKeyUsage.name);
  private pending = new Map<string, Use>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  record(id: string): void {
    this.add(id, { count: 1, lastUsedAt: this.clock.now() });
  }

  /** Writes down what was counted; a call while that is under way joins it. */
  @Interval(FLUSH_INTERVAL_MS)
  flush(): Promise<void> {
    this.running ??= this.write().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** The database is closed after this. The second one takes what came in while the first was under way. */
  async onModuleDestroy(): Promise<void> {
    await this.flush();
    await this.flush();
  }

  private async write(): Promise<void> {
    if (this.pending.size === 0) return;
    const batch = this.pending;
    this.pending = new Map();
    const uses = [...batch.values()];
    try {
      await this.dataSource.query(
        `UPDATE api_key SET request_count = request_count + used.count,
                            last_used_at = greatest(last_used_at, used.at)
           FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS used(id, count, at)
          WHERE api_key.id = used.id`,
        [[...batch.keys()], uses.map(({ count }) => count), uses.map(({ lastUsedAt }) => lastUsedAt)],
      );
    } catch (error) {
      for (const [id, use] of batch) this.add(id, use);
      this.logger.warn(
        { err: error },
        'the use of API keys could not be written down; the next pass tries again',
      );
    }
  }

  private add(id: string, { count, lastUsedAt }: Use): void {
    const use = this.pending.get(id);
    if (use === undefined) this.pending.set(id, { count, lastUsedAt });
    else {
      use.count += count;
      if (lastUsedAt > use.lastUsedAt) use.lastUsedAt = lastUsedAt;
    }
  }
}
