import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';

const SHIPPED = resolve('deploy/fail2ban');
const FILTER = join(SHIPPED, 'filter.d/sluice-api-keys.conf');

const run = promisify(execFile);

const whyNoFail2ban = ((): string | null => {
  try {
    execFileSync('fail2ban-regex', ['--version']);
    return null;
  } catch (error) {
    return String(error);
  }
})();

/** A `describe` of what needs the real fail2ban. Where there is none the tests are skipped; CI fails if any are. */
export function describeWithFail2ban(title: string, body: () => void): void {
  if (whyNoFail2ban === null) describe(title, body);
  else describe.skip(`${title} [needs fail2ban: ${whyNoFail2ban}]`, body);
}

/** A failure that fail2ban has found in a log. */
export interface Failure {
  readonly ip: string;
  /** In milliseconds since the epoch. */
  readonly timeMs: number;
}

/** What fail2ban finds in these lines by the filter that is shipped. */
export async function failuresIn(lines: readonly string[]): Promise<Failure[]> {
  return inFolder(async (dir) => {
    const log = join(dir, 'gateway.log');
    await writeFile(log, lines.map((line) => `${line}\n`).join(''));
    const { stdout } = await run('fail2ban-regex', ['-o', '<ip> <time>', log, FILTER]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [ip = '', time] = line.split(' ');
        return { ip, timeMs: Math.round(Number(time) * 1000) };
      });
  });
}

/**
 * What fail2ban would do at its start, with the system's configuration and ours: one command a line.
 * @throws Error when it finds a fault in it
 */
export async function startCommands(): Promise<string[]> {
  return inFolder(async (dir) => {
    await cp('/etc/fail2ban', dir, { recursive: true });
    // The system's own jails are none of ours, and may miss their logs.
    await rm(join(dir, 'jail.d'), { recursive: true, force: true });
    await cp(SHIPPED, dir, { recursive: true });
    await run('fail2ban-client', ['-c', dir, '-t']);
    return (await run('fail2ban-client', ['-c', dir, '-d'])).stdout.split('\n');
  });
}

async function inFolder<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-fail2ban-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}
