import { DataSource } from 'typeorm';
import type { Gateway } from './gateway.js';
import { watchDatabase, watchHost } from './side-effects.js';

/** Just before a step's effect, or just after it. */
export type Moment = 'before' | 'after';

/**
 * Ends its own process, as `kill -9` does, at the n-th step: each statement that writes to PostgreSQL, each change of a
 * file, each process that is started or told something, each signal, and each request that changes something at the
 * Docker Engine is one. Which steps there are is not written down anywhere, so that one that is added later is met as
 * well.
 */
export class CrashPoints {
  private armed: { moment: Moment; left: number } | null = null;
  private met: string[] = [];
  private readonly kill = process.kill.bind(process);

  /** Puts itself into a gateway that runs. */
  constructor(gateway: Gateway) {
    watchHost((name) => this.step(name));
    watchDatabase(gateway.get(DataSource), (name) => this.step(name));
  }

  /** @param nth 1 is the next step */
  arm(moment: Moment, nth: number): void {
    this.armed = { moment, left: nth };
    this.met = [];
  }

  /** The names of the steps since it was armed. */
  steps(): readonly string[] {
    return this.met;
  }

  private step(name: string): () => void {
    const { armed } = this;
    this.met.push(name);
    if (armed !== null) armed.left -= 1;
    const isTheOne = armed?.left === 0;
    if (isTheOne && armed.moment === 'before') this.crash();
    return () => {
      if (isTheOne) this.crash();
    };
  }

  private crash(): void {
    this.kill(process.pid, 'SIGKILL');
  }
}
