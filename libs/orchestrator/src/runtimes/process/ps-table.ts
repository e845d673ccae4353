import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeUnavailableError } from '../errors.js';
import type { SliceUsage } from '../slice-runtime.js';
import type { ProcessIdentity, ProcessTable } from './process-table.js';

const run = promisify(execFile);

/** Systems without /proc, macOS before all: ps(1) as POSIX and the BSDs have it. */
export class PsTable implements ProcessTable {
  async identify(pid: number): Promise<ProcessIdentity | null> {
    const [row] = await ps(['-o', 'stat=,lstart=', '-p', String(pid)]);
    if (row === undefined || row[0]?.startsWith('Z')) return null;
    // lstart is a date, to the second: it tells boots apart by itself.
    return { pid, startTime: row.slice(1).join(' '), bootId: '' };
  }

  async members(groupId: number): Promise<number[]> {
    const rows = await ps(['-A', '-o', 'pid=,pgid=,stat=']);
    return rows
      .filter(([, group, state]) => Number(group) === groupId && state?.startsWith('Z') === false)
      .map(([pid]) => Number(pid));
  }

  hasEnvironment(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async usage(pids: readonly number[]): Promise<SliceUsage> {
    const rows = pids.length === 0 ? [] : await ps(['-o', 'rss=,time=', '-p', pids.join(',')]);
    return {
      memoryBytes: rows.reduce((sum, [kib]) => sum + Number(kib) * 1024, 0),
      cpuSeconds: rows.reduce((sum, [, time]) => sum + secondsOf(time ?? '0'), 0),
    };
  }
}

/** Rows of words. ps exits 1 when no process matches: no rows. */
async function ps(args: readonly string[]): Promise<string[][]> {
  const env = { LC_ALL: 'C', PATH: '/bin:/usr/bin' };
  const { stdout } = await run('ps', args, { env }).catch((cause: unknown) => {
    if (Object(cause).code === 1) return { stdout: '' };
    throw new RuntimeUnavailableError('ps does not tell what runs', { cause });
  });
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[0] !== '');
}

/** `[[days-]hours:]minutes:seconds[.hundredths]` */
function secondsOf(time: string): number {
  const [clock = '0', days = '0'] = time.split('-').toReversed();
  return Number(days) * 86_400 + clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
