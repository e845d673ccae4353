import { createHash } from 'node:crypto';
import { cp, lstat, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Binaries } from './binaries.js';
import type { Launcher } from './launcher.js';
import { type Identity, runProgram } from './run-program.js';

/**
 * For root where user namespaces are denied (a chroot, a container): the server runs as `nobody`. What `nobody` can't
 * reach, because a folder above it is closed to others, is kept in a folder that it can.
 */
export class NobodyLauncher implements Launcher {
  private constructor(
    private readonly identity: Identity,
    private readonly base: string,
  ) {}

  /** @param base where files go that would be out of reach; every folder above it must be open to all */
  static async create(base = '/var/lib/sluice'): Promise<NobodyLauncher> {
    // Not 65534 everywhere: the id differs between systems.
    const [uid, gid] = await Promise.all([
      runProgram('id', ['-u', 'nobody']),
      runProgram('id', ['-g', 'nobody']),
    ]);
    return new NobodyLauncher({ uid: Number(uid), gid: Number(gid) }, base);
  }

  async reachable(binaries: Binaries): Promise<Binaries> {
    if (await this.canEnter(join(binaries.root, 'bin'))) return binaries;
    const copy = join(this.base, `postgresql-${binaries.version}`);
    if ((await lstat(copy).catch(() => null)) === null) {
      const unfinished = `${copy}.new-${process.pid}`;
      await mkdir(this.base, { recursive: true, mode: 0o755 });
      await cp(binaries.root, unfinished, {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
      await rename(unfinished, copy);
    }
    return { ...binaries, root: copy };
  }

  async homeFor(dataDir: string): Promise<string> {
    if (await this.canEnter(dataDir)) return dataDir;
    const home = join(
      this.base,
      `${basename(dataDir)}-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
    );
    await mkdir(home, { recursive: true, mode: 0o755 });
    await this.move(join(dataDir, 'data'), join(home, 'data'));
    return home;
  }

  async handOver(path: string): Promise<void> {
    if ((await lstat(path)).uid === this.identity.uid) return;
    await runProgram('chown', ['-R', `${this.identity.uid}:${this.identity.gid}`, path]);
  }

  async run(program: string, args: readonly string[]): Promise<string> {
    return runProgram(program, args, this.identity);
  }

  /** Leaves a link behind, by which any later start finds the files, whichever way it runs the server. */
  private async move(from: string, to: string): Promise<void> {
    const found = await lstat(from).catch(() => null);
    if (found === null || found.isSymbolicLink()) return;
    const unfinished = `${to}.new-${process.pid}`;
    await cp(from, unfinished, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await rename(unfinished, to);
    await rename(from, `${from}.moved`);
    await symlink(to, from);
    await rm(`${from}.moved`, { recursive: true });
  }

  private async canEnter(folder: string): Promise<boolean> {
    try {
      await runProgram('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], this.identity);
      return true;
    } catch {
      return false;
    }
  }
}
