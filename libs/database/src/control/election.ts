import { setTimeout as delay } from 'node:timers/promises';
import type { ControlConnection } from './control-connection.js';

const STAND_EVERY_MS = 500;

/**
 * Runs a task on one replica at a time. The replica that holds the lock runs it; when that replica goes, or loses the
 * database, another takes over within a second.
 */
export class Election {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly control: ControlConnection,
    private readonly key: string,
  ) {}

  /**
   * Stands for election until {@link stop}. The task is to run until its signal aborts, and then to end soon: by then
   * another replica may be elected. One that ends earlier, or throws, which is logged, is run again after half a second.
   */
  run(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.running = this.stand(task);
    return this.running;
  }

  /** Aborts the task, waits for its end, and frees the lock for another replica. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async stand(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.runIfElected(task);
      } catch (error) {
        this.control.logger.error(error);
      }
      await delay(STAND_EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  private async runIfElected(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await using lock = await this.control.tryLock(this.key);
    if (lock === null) return;
    await task(AbortSignal.any([lock.signal, this.stopping.signal]));
  }
}
