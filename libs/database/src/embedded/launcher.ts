import { lstat, stat } from 'node:fs/promises';
import type { Binaries } from './binaries.js';
import { NobodyLauncher } from './nobody-launcher.js';
import { runProgram } from './run-program.js';

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

/** Picks the way for the user the gateway runs as. */
export async function chooseLauncher(): Promise<Launcher> {
  if (process.getuid?.() !== 0) return new DirectLauncher();
  return (await UserNamespaceLauncher.available()) ? new UserNamespaceLauncher() : NobodyLauncher.create();
}

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
