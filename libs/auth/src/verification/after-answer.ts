import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';

/** Connections of the pool that this may take from whoever waits for an answer. */
const CONCURRENCY = 2;

/** So much waits at the most: what comes on top in a flood is dropped. */
const QUEUE = 1000;

/** Work whose time, and outcome, must not show in the answer to the request that causes it. */
@Injectable()
export class AfterAnswer implements BeforeApplicationShutdown {
  private readonly logger = new Logger(AfterAnswer.name);
  private readonly limit = pLimit(CONCURRENCY);
  private readonly running = new Set<Promise<void>>();

  /** Begins the work soon; a failure is logged as that of `what`. */
  do(what: string, work: () => Promise<void>): void {
    if (this.limit.pendingCount >= QUEUE) {
      this.logger.warn(`too much to do: ${what} is left undone`);
      return;
    }
    const done = this.limit(async () => {
      await nextTurn();
      await work();
    })
      .catch((error: unknown) => this.logger.error({ err: error }, `${what} failed`))
      .finally(() => void this.running.delete(done));
    this.running.add(done);
  }

  /** What was answered for is done before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.running);
  }
}
