import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts test/support/embedded-owner.ts, the leader of a process group of its own. */
export function spawnOwner(dataDir: string): ChildProcess {
  const args = ['--import', './test/support/typescript-loader.ts', 'test/support/embedded-owner.ts', dataDir];
  return spawn(process.execPath, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Resolves with the pid of its server, once that is up. */
export async function serverOf(owner: ChildProcess): Promise<number> {
  const [line] = await once(owner.stdout ?? owner, 'data');
  return Number(String(line));
}

/** Signals the whole group, as a terminal does with a Ctrl-C, and waits for the owner's end. */
export async function signalGroup(owner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(owner, 'exit');
  process.kill(-(owner.pid ?? 0), signal);
  await ended;
}
