import { lstat } from 'node:fs/promises';
import type { Binaries } from './binaries.js';
import type { Launcher } from './launcher.js';
import { runProgram } from './run-program.js';

const AS_NOBODY_INSIDE = ['--user', '--map-user=65534', '--map-group=65534', '--'];

/**
 * For root on Linux: a user namespace in which root is uid 65534. PostgreSQL sees no root, yet outside it is still
 * root that opens the files, so a checkout below /root needs no change of owner and no user on the system.
 */
export class UserNamespaceLauncher implements Launcher {
  /** Containers and chroots often deny user namespaces. */
  static async available(): Promise<boolean> {
    try {
      await runProgram('unshare', [...AS_NOBODY_INSIDE, 'true']);
      return true;
    } catch {
      return false;
    }
  }

  async reachable(binaries: Binaries): Promise<Binaries> {
    return binaries;
  }

  async homeFor(dataDir: string): Promise<string> {
    return dataDir;
  }

  async handOver(path: string): Promise<void> {
    // Only root is mapped: what another user owns, as after a start without namespaces, is out of reach inside.
    if ((await lstat(path)).uid !== 0) await runProgram('chown', ['-R', '0:0', path]);
  }

  async run(program: string, args: readonly string[]): Promise<string> {
    return runProgram('unshare', [...AS_NOBODY_INSIDE, program, ...args]);
  }
}
