import type { QueryRunner } from 'typeorm';
import { DataSource } from 'typeorm';
import { SliceRuntime } from '#orchestrator';
import type { Gateway } from './gateway.js';

/** Just before a step's effect, or just after it. */
export type Moment = 'before' | 'after';

const WRITE = /^\s*(COMMIT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE)\b/i;

/** What a runtime does to the world; the rest of its methods only look. */
const RUNTIME_STEPS = ['start', 'stop', 'removeData'] as const;

/**
 * Ends its own process, as `kill -9` does, at the n-th step: each statement that writes to PostgreSQL, and each call
 * that makes the runtime change something, is one. Which steps there are is not written down anywhere, so that one that
 * is added later is met as well.
 */
export class CrashPoints {
  private armed: { moment: Moment; left: number } | null = null;

  /** Puts itself into a gateway that runs. */
  constructor(gateway: Gateway) {
    this.watchRuntime(gateway.get(SliceRuntime));
    this.watchDatabase(gateway.get(DataSource));
  }

  /** @param nth 1 is the next step */
  arm(moment: Moment, nth: number): void {
    this.armed = { moment, left: nth };
  }

  private watchRuntime(runtime: SliceRuntime): void {
    for (const name of RUNTIME_STEPS) {
      const original: (...args: never[]) => Promise<unknown> = runtime[name].bind(runtime);
      Object.assign(runtime, { [name]: (...args: never[]) => this.step(() => original(...args)) });
    }
  }

  private watchDatabase(dataSource: DataSource): void {
    const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => {
      const runner = createQueryRunner(mode);
      const query: QueryRunner['query'] = runner.query.bind(runner);
      const watched = (...args: Parameters<typeof query>): Promise<unknown> =>
        WRITE.test(args[0]) ? this.step(() => query(...args)) : query(...args);
      return Object.assign(runner, { query: watched });
    };
  }

  private async step<T>(effect: () => Promise<T>): Promise<T> {
    const { armed } = this;
    if (armed !== null) armed.left -= 1;
    const isTheOne = armed?.left === 0;
    if (isTheOne && armed.moment === 'before') this.crash();
    const result = await effect();
    if (isTheOne) this.crash();
    return result;
  }

  private crash(): void {
    process.kill(process.pid, 'SIGKILL');
  }
}
