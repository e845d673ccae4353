import { setTimeout as wait } from 'node:timers/promises';

/** Asks one part of the gateway how it is. A question without an answer is not asked again: it would pile up. */
export class Probe {
  private open: Promise<boolean> | null = null;

  constructor(private readonly ask: () => Promise<unknown>) {}

  /**
   * Whether it answers, and well, in this time; also by a question that is still open from before.
   * @param timeoutMs milliseconds
   */
  async answers(timeoutMs: number): Promise<boolean> {
    const deadline = new AbortController();
    const late = wait(timeoutMs, false, { signal: deadline.signal }).catch(() => false);
    this.open ??= this.question().finally(() => (this.open = null));
    try {
      return await Promise.race([this.open, late]);
    } finally {
      deadline.abort();
    }
  }

  private async question(): Promise<boolean> {
    try {
      await this.ask();
      return true;
    } catch {
      return false;
    }
  }
}
