import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '#common';
import { SliceEvents } from './slice-events.js';

const SWEEP_INTERVAL_MS = 3_600_000;
/** As long as telemetry. */
const KEPT_MS = 8 * 24 * 3_600_000;

/** Deletes the steps of slices that nobody will ask for any more. Every replica may. */
@Injectable()
export class SliceEventSweeper implements OnModuleDestroy {
  private readonly logger = new Logger(SliceEventSweeper.name);
  private running: Promise<void> | null = null;

  constructor(
    private readonly events: SliceEvents,
    private readonly clock: Clock,
  ) {}

  @Interval(SWEEP_INTERVAL_MS)
  sweep(): Promise<void> {
    this.running ??= this.pass().finally(() => (this.running = null));
    return this.running;
  }

  async onModuleDestroy(): Promise<void> {
    await this.running;
  }

  private async pass(): Promise<void> {
    try {
      await this.events.sweep(new Date(this.clock.nowMs() - KEPT_MS));
    } catch (error) {
      this.logger.warn({ err: error }, 'old steps of slices could not be deleted; the next pass tries again');
    }
  }
}
