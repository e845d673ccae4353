import { stat } from 'node:fs/promises';
import type { Binaries } from './binaries.js';
import type { Launcher } from './launcher.js';
import { runProgram } from './run-program.js';

/** For an ordinary user. */
export class DirectLauncher implements Launcher {
  async reachable(binaries: Binaries): Promise<Binaries> {
    return binaries;
  }

  async homeFor(dataDir: string): Promise<string> {
    return dataDir;
  }

  async handOver(path: string): Promise<void> {
    const { uid } = await stat(path);
    const self = process.getuid?.();
    if (self !== undefined && uid !== self) {
      throw new Error(
        `${path} belongs to uid ${uid}, and Sluice runs as uid ${self}: give it to that user (chown -R).`,
      );
    }
  }

  async run(program: string, args: readonly string[]): Promise<string> {
    return runProgram(program, args);
  }
}
