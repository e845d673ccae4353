import type { LoggerService } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

const CHECK_EVERY_MS = 250;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 15_000;

export interface Watched {
  /** Gives false when it has to be brought back. */
  alive(): Promise<boolean>;
  /** Brings it back, or throws; then it is tried again after a pause that doubles. */
  revive(): Promise<void>;
}

/** Looks after something that has to live as long as the gateway does. Never keeps the process alive. */
export class Watchdog {
  private readonly timer: NodeJS.Timeout;
  private readonly stopping = new AbortController();
  private round: Promise<void> | null = null;

  constructor(
    private readonly watched: Watched,
    private readonly logger: LoggerService,
  ) {
    this.timer = setInterval(() => this.check(), CHECK_EVERY_MS).unref();
  }

  /** Ends the watch; resolves when a round under way has ended, so that nothing is brought back afterwards. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.round;
  }

  private check(): void {
    this.round ??= this.lookAfter()
      .catch((error: unknown) => this.logger.error(error))
      .finally(() => {
        this.round = null;
      });
  }

  private async lookAfter(): Promise<void> {
    if (await this.watched.alive()) return;
    for (
      let pause = FIRST_PAUSE_MS;
      !this.stopping.signal.aborted;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    ) {
      try {
        await this.watched.revive();
        return;
      } catch (error) {
        this.logger.error(error);
        await delay(pause, undefined, { ref: false, signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }
}
