import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where Debian keeps servers, which is not on the PATH of every user. */
const SEARCHED = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** The file of a program; null where it is not installed. */
export function findProgram(name: string): string | null {
  return SEARCHED.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}

/**
 * The file of a program that a peer can't do without.
 * @throws Error when it is not installed
 */
export function requireProgram(name: string): string {
  const file = findProgram(name);
  if (file === null) throw new Error(`${name} is not installed: apt-get install ${name}`);
  return file;
}

/** Installs with apt what is missing, where that can be done, and says so. */
export function installPrograms(names: readonly string[]): void {
  const missing = names.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === null) {
    console.error(
      `Not installed, and left out: ${missing.join(', ')} (apt-get install ${missing.join(' ')})`,
    );
    return;
  }
  console.error(`Installing by apt-get: ${missing.join(', ')}`);
  // In run level 1 no service is started: a server of the system's would take the cores of the measured ones.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const aptGet = (...args: string[]): number | null =>
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env }).status;
  const status = aptGet('update') === 0 ? aptGet('install', '-y', '--no-install-recommends', ...missing) : 1;
  if (status !== 0) console.error('apt-get failed; what is missing is left out');
}

/** Installs the peers that come from npm, at the first run. */
export function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers/servers', import.meta.url));
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return;
  console.error('Installing the peers of bench/peers/servers/package.json');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
