import type { Binaries } from './binaries.js';

/**
 * How PostgreSQL's programs are run. They refuse to run as root, so for root there is a way round; for everybody else
 * there is nothing to do.
 */
export interface Launcher {
  /** The binaries where the server's user can run them: `binaries` itself, or a copy. */
  reachable(binaries: Binaries): Promise<Binaries>;

  /** The folder for the server's files: `dataDir` itself wherever the server's user can enter it. */
  homeFor(dataDir: string): Promise<string>;

  /** Makes the server's user the owner of a file, or of a folder and all that is in it. */
  handOver(path: string): Promise<void>;

  /** Runs a program to its end and gives what it printed. */
  run(program: string, args: readonly string[]): Promise<string>;
}
